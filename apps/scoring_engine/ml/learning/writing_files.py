"""Writing several files that belong together: all of them or none."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import TrainingError


def write_together(contents: Mapping[str, bytes], out: Path) -> dict[str, Path]:
    """Writes files by name to a folder, made if need be; raises TrainingError and leaves no part of them."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=out))
    except OSError as error:
        raise TrainingError(f"The folder {out} cannot be written: {error.strerror}.") from None
    try:
        for name, content in contents.items():
            (draft / name).write_bytes(content)
        for name in contents:
            (draft / name).replace(out / name)
    except OSError as error:
        raise TrainingError(f"The files cannot be written to {out}: {error.strerror}.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {name: out / name for name in contents}
