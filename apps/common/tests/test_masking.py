"""An identifier is known by its shape, wherever in a sentence it stands; what looks alike is left as it is."""

import pytest

from apps.common.masking import mask_fields, mask_identifiers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"31403850000017" was given', '"••••••••••••17" was given'),
        ("10:01:02:03:04:0055: no such field", "•••••••••••••••••55: no such field"),
        ("call +998 90 123-45-67 now", "call •••••••••••••••67 now"),
        ("to dilshod@example.uz, please", "to ••••••••••••••••uz, please"),
        ('"10:01:02:03:04:0055" was given', '"•••••••••••••••••55" was given'),
        ("10:01:02:03:04:0055:0001", "••••••••••••••••••••••01"),
    ],
)
def test_identifiers_are_masked(text, shown):
    assert mask_identifiers(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "allowed is a whole number from 0 to 1000000000000000.",
        "150000000 was given",
        "2026-11-23T14:00:00.123456+05:00 was given",
        "7f0c3a52-1111-4222-8333-123456789012",
        "an address such as 10:01:02",
    ],
)
def test_others_stay(text):
    assert mask_identifiers(text) == text


def test_a_long_text_is_looked_through_once():
    """Of a quadratic search these would take hours."""
    assert mask_identifiers("a" * 1_000_000) == "a" * 1_000_000
    assert mask_identifiers("1" * 1_000_000) == "1" * 1_000_000


def test_only_known_fields_are_masked():
    assert mask_fields({"inn": "123456789", "phone": None, "name": "A"}, "inn", "phone") == {
        "inn": "•••••••89",
        "phone": None,
        "name": "A",
    }
