"""A card as JSON: its own document, in the one text whose SHA-256 is the digest."""

from ..cards import canonical
from .parts import Parts


def as_json(scorer: object) -> str:
    """Without a line end, so that `sha256sum` of the file gives the digest."""
    return canonical(Parts(scorer).scorer.to_dict())
