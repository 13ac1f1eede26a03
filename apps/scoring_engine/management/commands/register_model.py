"""manage.py register_model mine.joblib --as aziza"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.lookup import acting_as
from apps.accounts.permissions import ANALYSTS
from apps.scoring_engine.management.model_commands import add_who, one_sentence, read_document
from apps.scoring_engine.ml.estimators.unpacking import MOST_FILE_BYTES
from apps.scoring_engine.registration import register_model


class Command(BaseCommand):
    help = "Register a model file as a draft. Nothing in it is loaded; somebody else has to approve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a .joblib file")
        parser.add_argument("--manifest", type=Path, help="its manifest; without it, the .manifest.json beside it")
        add_who(parser)

    def handle(self, *, file: Path, manifest: Path | None, username: str, **options: Any) -> None:
        with one_sentence():
            actor = acting_as(username, ANALYSTS)
            document = read_document(manifest or file.with_suffix(".manifest.json"))
            with file.open("rb") as opened:
                content = opened.read(MOST_FILE_BYTES + 1)
            model = register_model(content=content, manifest=document, actor=actor)
        self.stdout.write(
            f"{model.version} of {model.segment} is registered as a draft: file {model.file_id},"
            f" document {model.card_id[:12]}. Somebody other than {username} has to approve it."
        )
        if model.types:
            self.stdout.write(f"Reading it will load {len(model.types)} types: {', '.join(model.types)}.")
