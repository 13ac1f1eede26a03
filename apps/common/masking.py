"""What stands where an identifier was: in replies to those who need not see it, and in every refusal."""

import re
from collections.abc import Mapping
from typing import Any

from apps.common.crypto import mask
from apps.common.identifiers import CADASTRAL, CADASTRAL_NEW

# Of identifiers by their shape alone. An INN is not told from an amount of money, and is a company's public number.
SHAPES = re.compile(
    rf"(?<![\w:])(?:{CADASTRAL.pattern}|{CADASTRAL_NEW.pattern})(?!:?\w)"  # a parcel
    r"|(?<![0-9A-Za-z])[0-9]{14}(?![0-9A-Za-z])"  # a PINFL
    r"|\+[0-9][0-9 ()-]{7,18}[0-9]"  # a phone
    r"|[^\s\"'<>(),:;@]{1,64}@[^\s\"'<>(),:;@]{1,255}"  # an e-mail; bounded, so that a long text takes no longer
)

LONGEST_SHAPE = 320  # characters


def mask_identifiers(text: str) -> str:
    """`text` with each PINFL, parcel, phone and e-mail in it masked, whatever field it was typed into."""
    return SHAPES.sub(lambda found: mask(found[0]), text)


def mask_fields(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`document` with these fields masked, where they are known."""
    return {**document, **{name: mask(document[name]) for name in names if document.get(name)}}


def mask_document(value: Any) -> Any:
    """Each text and whole number by itself: the places after the point of a share are no PINFL."""
    if isinstance(value, dict):
        return {mask_identifiers(name): mask_document(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [mask_document(each) for each in value]
    if isinstance(value, str):
        return mask_identifiers(value)
    if isinstance(value, int) and mask_identifiers(str(value)) != str(value):
        return mask_identifiers(str(value))
    return value
