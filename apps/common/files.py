"""Results written to disk: all of them, or nothing."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from apps.common.errors import InvalidInput


def check_out(out: Path) -> None:
    """Raises InvalidInput: told before an hour of work, not after."""
    if out.exists():
        raise InvalidInput(f"{out} exists already; name a folder that does not.")


def write_folder(out: Path, texts: Mapping[str, str]) -> None:
    """The files `texts` by name in the new folder `out`, which appears with all of them in it or not at all."""
    check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=out.parent) as draft:
        folder = Path(draft) / "written"
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
        folder.rename(out)
