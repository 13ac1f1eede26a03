"""manage.py create_database_roles: after `migrate --database owner`, and again after each later one."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction

from apps.common.commands import refusals_told
from apps.common.roles import create_process_role


class Command(BaseCommand):
    help = "On PostgreSQL: make the role of DATABASE_URL, which cannot change history, as the owner of the tables."

    def handle(self, **options: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("Set DATABASE_OWNER_URL to the role that owns the tables.")
        processes, owner = settings.DATABASES["default"], settings.DATABASES["owner"]
        if not processes["ENGINE"].endswith("postgresql"):
            raise CommandError("Only PostgreSQL has roles; on SQLite the triggers of the tables stand alone.")
        if processes["USER"] == owner["USER"]:
            raise CommandError("DATABASE_URL and DATABASE_OWNER_URL name the same role; they must differ.")
        if not processes["PASSWORD"]:
            raise CommandError("DATABASE_URL has no password; the role needs one to sign in.")
        with refusals_told(), transaction.atomic(using="owner"):
            counts = create_process_role(
                database=connections["owner"], role=processes["USER"], password=processes["PASSWORD"]
            )
        self.stdout.write(
            f"The role {processes['USER']} works with {counts['work']} tables, adds to {counts['add']} that are "
            f"insert-only, and reads {counts['read']}."
        )
