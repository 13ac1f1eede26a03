"""manage.py copy_vendored: the scripts and styles of others that pages use, anew from their packages (needs npm)."""

import hashlib
import subprocess
import tarfile
import tempfile
import tomllib
from base64 import b64encode
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

FOLDER = Path(__file__).parents[2] / "static" / "workbench" / "vendor"


class Command(BaseCommand):
    help = "Fetch the packages that VERSIONS.toml names, check their integrity, and copy the file served of each."

    def handle(self, **options: Any) -> None:
        for name, row in tomllib.loads((FOLDER / "VERSIONS.toml").read_text(encoding="utf-8")).items():
            if "integrity" in row:
                (FOLDER / row["file"]).write_bytes(_fetch(row))
                self.stdout.write(f"{name} {row['version']}: {row['file']}")


def _fetch(row: dict[str, str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        asked = ["npm", "pack", "--silent", f"{row['package']}@{row['version']}"]
        subprocess.run(asked, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (package,) = Path(folder).iterdir()
        digest = b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != row["integrity"]:
            raise CommandError(f"{row['package']} {row['version']} has another integrity than VERSIONS.toml says.")
        with tarfile.open(package) as held:
            content = held.extractfile(f"package/{row['member']}").read()
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise CommandError(f"{row['member']} of {row['package']} is another file than VERSIONS.toml says.")
    return content
