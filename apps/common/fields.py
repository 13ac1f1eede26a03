"""Serializer fields that take a value as it is or refuse it: no "5" for 5, no 1.5 for money, no "false" for a flag."""

import math
from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.common.errors import MOST_PROBLEMS
from apps.common.money import MOST_MONEY

MOST_VERSION = 2**31 - 1
# Options of a field that may be left alone or emptied; and, in a group that is replaced as a whole, of one that
# is not known when it is left out.
KNOWN_OR_NOT: dict[str, Any] = {"required": False, "allow_null": True}
UNKNOWN: dict[str, Any] = {"allow_null": True, "default": None}


def _shown(value: Any) -> str:
    """What was given, short enough to repeat in an error; the values of containers are not repeated."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


class StrictInteger(serializers.IntegerField):
    """A JSON integer within [min_value, max_value]."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int) or not self.min_value <= data <= self.max_value:
            raise serializers.ValidationError(
                f"{_shown(data)} was given; allowed is a whole number from {self.min_value} to {self.max_value}."
            )
        return data

    def to_representation(self, value: Any) -> int:
        return value


class MoneyField(StrictInteger):
    """Whole units of the stated currency."""

    def __init__(self, *, min_value: int = 0, max_value: int = MOST_MONEY, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)


class VersionField(StrictInteger):
    """The version that the caller read, for optimistic locking."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MOST_VERSION, **options)


class StrictNumber(serializers.FloatField):
    """A finite JSON number within [min_value, max_value]."""

    def __init__(self, *, min_value: float, max_value: float, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int | float:
        number = isinstance(data, int | float) and not isinstance(data, bool)
        if not number or not self.min_value <= data <= self.max_value or not math.isfinite(data):
            raise serializers.ValidationError(
                f"{_shown(data)} was given; allowed is a number from {self.min_value} to {self.max_value}."
            )
        return data

    def to_representation(self, value: Any) -> float:
        return value


class StrictFlag(serializers.BooleanField):
    """JSON true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"{_shown(data)} was given; allowed are true and false.")
        return data

    def to_representation(self, value: Any) -> bool:
        return value


class StrictText(serializers.CharField):
    """Text, and only text. A number is not repeated in the refusal: it may be a PINFL without its quotes."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            given = (
                "a flag" if isinstance(data, bool) else "a number" if isinstance(data, int | float) else _shown(data)
            )
            raise serializers.ValidationError(f"{given} was given; allowed is text.")
        return super().to_internal_value(data)


class StrictChoice(serializers.ChoiceField):
    """One of the given codes, as text; a refusal names them all."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(f"{_shown(data)} was given; allowed are {', '.join(self.choices)}.")
        return data


class IdField(serializers.UUIDField):
    """An id as it was given out: text. DRF's own field takes 5 for the id 00000000-0000-0000-0000-000000000005."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"{_shown(data)} was given; allowed is an id as text.")
        return super().to_internal_value(data)


class DayField(serializers.DateField):
    """A day as YYYY-MM-DD, kept as that text or as a date."""

    def to_internal_value(self, data: Any) -> date:
        try:
            if not isinstance(data, str) or len(data) != 10:
                raise ValueError
            return date.fromisoformat(data)
        except ValueError:
            raise serializers.ValidationError(f"{_shown(data)} was given; allowed is a day as YYYY-MM-DD.") from None

    def to_representation(self, value: date | str) -> str:
        return value if isinstance(value, str) else value.isoformat()


class ShortList(serializers.ListField):
    """At most `max_length` items, counted before any of them is read."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.max_length:
            raise serializers.ValidationError(f"{len(data)} items were given; allowed are at most {self.max_length}.")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer):
    """Refuses what it does not know, and what only the system may set, instead of passing over it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            self._refuse_others(data, writable)
        return super().to_internal_value(data)

    def _refuse_others(self, data: Mapping[str, Any], writable: set[str]) -> None:
        allowed = ", ".join(sorted(writable))
        errors = {
            name: [f"This field is set by the system and cannot be written. Allowed: {allowed}."]
            if name in self.fields
            else [f"There is no such field. Allowed: {allowed}."]
            for name in islice((name for name in data if name not in writable), MOST_PROBLEMS)
        }
        if errors:
            raise serializers.ValidationError(errors)
