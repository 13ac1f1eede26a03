"""Form fields that read what people type and let a field of the API judge it: one truth for every bound.

Identifiers are refused in the words of apps.common.identifiers, which speak the active language; all else in ours.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.functional import lazystr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from apps.common.contacts import MOST_PARCELS, ParcelsField
from apps.workbench import formats

NEEDED = gettext_lazy("This is needed.")
SPACES = re.compile(r"[\s'\u2019]+")
# One kind of separator, before each three digits: "12 000 000", "12,000,000", "12.000.000".
WHOLE = re.compile(r"-?(?:[0-9]{1,3}(?:([ ,.])[0-9]{3})(?:\1[0-9]{3})*|[0-9]+)")
PARTED = re.compile(r"[\s,;]+")


class TypedField(forms.Field):
    """`judge`: the serializer's field, given what `read` makes of the text. Nothing typed is None.

    refusal: None where the judge speaks the active language itself.
    """

    def __init__(
        self, judge: serializers.Field, *, read: Callable[[str], Any] = str, refusal: Any = None, **options: Any
    ) -> None:
        options.setdefault("required", judge.required and not judge.allow_null)
        super().__init__(error_messages={"required": NEEDED}, **options)
        self.judge, self.read, self.refusal = judge, read, refusal

    def to_python(self, value: str | None) -> Any:
        text = (value or "").strip()
        if not text:
            return None
        try:
            return self.judge.run_validation(self.read(text))
        except serializers.ValidationError as error:
            raise forms.ValidationError(self.refusal or _first(error.detail)) from None
        except ValueError as error:
            raise forms.ValidationError(self.refusal or str(error)) from None


class ParcelsTyped(TypedField):
    """Several, parted by commas or spaces; none is an empty list."""

    def __init__(self, judge: ParcelsField, **options: Any) -> None:
        super().__init__(judge, read=read_parcels, **options)

    def to_python(self, value: str | None) -> list[str]:
        return super().to_python(value) or []


def text_field(judge: serializers.Field, refusal: Any, **options: Any) -> TypedField:
    return TypedField(judge, refusal=refusal, **options)


def identifier_field(judge: serializers.Field, **options: Any) -> TypedField:
    return TypedField(judge, read=read_identifier, **options)


def whole_field(judge: serializers.IntegerField, **options: Any) -> TypedField:
    return TypedField(judge, read=read_whole, refusal=within(judge), **_inputmode("numeric", judge), **options)


def number_field(judge: serializers.FloatField, **options: Any) -> TypedField:
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    return TypedField(judge, read=read_number, refusal=within(judge, whole=False), widget=widget, **options)


def day_field(judge: serializers.DateField, refusal: Any, **options: Any) -> TypedField:
    return TypedField(judge, read=read_day, refusal=refusal, widget=DayInput(), **options)


class DayInput(forms.DateInput):
    input_type = "date"

    def format_value(self, value: Any) -> Any:
        """As browsers want it; what is no day stands as it was typed."""
        return value.isoformat() if isinstance(value, date) else value


def _inputmode(mode: str, judge: serializers.IntegerField) -> dict[str, Any]:
    # A keyboard of digits alone has no minus on a phone.
    return {"widget": forms.TextInput(attrs={"inputmode": mode if judge.min_value >= 0 else "text"})}


def read_identifier(text: str) -> str:
    """Without the spaces and hyphens that people group digits by."""
    return re.sub(r"[\s-]+", "", text)


def read_whole(text: str) -> int:
    plain = SPACES.sub(" ", text.replace("\u2212", "-")).strip()
    if not WHOLE.fullmatch(plain) or len(plain) > 40:
        raise ValueError
    return int(re.sub(r"[ ,.]", "", plain))


def read_parcels(text: str) -> list[str]:
    parcels = [parcel for parcel in PARTED.split(text) if parcel]
    if len(parcels) > MOST_PARCELS:
        raise ValueError(_("Give at most %(most)s cadastral numbers.") % {"most": MOST_PARCELS})
    return parcels


def read_number(text: str) -> float:
    plain = text.strip().replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,10})?", plain):
        raise ValueError
    return float(plain)


def read_day(text: str) -> str:
    """ISO, of "2026-03-03" or "3.3.2026"."""
    shape = "%Y-%m-%d" if "-" in text else "%d.%m.%Y"
    return datetime.strptime(text, shape).date().isoformat()


def sentence(text: Any, **values: Any) -> Any:
    """`text` with its values, each put in when it is shown: numbers are written by the language of the page."""
    return lazystr(_Sentence(text, values))


class _Sentence:
    def __init__(self, text: Any, values: dict[str, Any]) -> None:
        self.text, self.values = text, values

    def __str__(self) -> str:
        shown = {
            name: formats.number(value) if isinstance(value, int | float) else value
            for name, value in self.values.items()
        }
        return str(self.text) % shown


def within(judge: serializers.IntegerField | serializers.FloatField, *, whole: bool = True) -> Any:
    text = (
        gettext_lazy("Give a whole number from %(least)s to %(most)s.")
        if whole
        else gettext_lazy("Give a number from %(least)s to %(most)s.")
    )
    return sentence(text, least=judge.min_value, most=judge.max_value)


def _first(detail: Any) -> str:
    """The first sentence in what a serializer refused, however deep it stands."""
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail))
    return str(detail)
