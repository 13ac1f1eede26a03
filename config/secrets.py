"""Secrets of a local installation: made once, kept in a file that only its owner can read."""

import base64
import os
import secrets
from pathlib import Path


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def ensure_local_secrets(path: Path) -> None:
    """Write `path` with fresh keys unless it is there. Two processes may start at once: the first one wins."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Made at the first start of a local installation. Losing it makes stored personal data unreadable.",
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        f"ENCRYPTION_KEYS=local-1:{_key()}",
        f"BLIND_INDEX_KEY={_key()}",
        f"METRICS_TOKEN={secrets.token_urlsafe(24)}",
    ]
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("\n".join(lines) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
