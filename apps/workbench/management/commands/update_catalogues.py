"""manage.py update_catalogues: find the texts of the screens, put them into the .po files, compile the .mo files."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.workbench import catalogues


class Command(BaseCommand):
    help = "Bring locale/*/LC_MESSAGES/django.po and .mo up to date; what has no translation yet is listed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="only write")

    def handle(self, *, quiet: bool, **options: Any) -> None:
        wanted = sorted(catalogues.texts_in_sources(), key=str)
        for language in catalogues.LANGUAGES:
            catalogue = catalogues.update_catalogue(language, wanted)
            catalogues.write_catalogue(catalogue)
            missing = catalogues.untranslated(catalogue)
            if not quiet:
                self.stdout.write(f"{language}: {len(wanted)} texts, {len(missing)} without a translation")
                self.stdout.writelines(f"  {text}" for text in missing)
