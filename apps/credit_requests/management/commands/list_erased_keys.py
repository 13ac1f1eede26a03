"""manage.py list_erased_keys > erased-keys.txt, to be kept apart from the database and its back-ups."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.common.models import DataKey


class Command(BaseCommand):
    help = "List the data keys that were destroyed: id and moment, one a line, for erase_again after a restore."

    def handle(self, **options: Any) -> None:
        destroyed = DataKey.objects.filter(destroyed_at__isnull=False).order_by("destroyed_at", "id")
        for id_, moment in destroyed.values_list("id", "destroyed_at").iterator(chunk_size=2000):
            self.stdout.write(f"{id_} {moment:%Y-%m-%dT%H:%M:%SZ}")
