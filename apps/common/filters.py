"""List filters that refuse what they do not know: a mistyped filter must not answer with every record."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from apps.common.days import EARLIEST, LATEST, is_storable
from apps.common.errors import InvalidInput
from apps.common.languages import LANGUAGES

PAGING = frozenset({"cursor", "page_size", "format"})


class StrictFilterSet(filters.FilterSet):
    """A query parameter that is no filter is refused with 400, by name."""

    def is_valid(self) -> bool:
        known = ", ".join(sorted({*self.filters, *PAGING}))
        unknown = sorted(set(self.data) - set(self.filters) - PAGING)
        if unknown:
            raise InvalidInput.of(
                **{name[:40]: f"This is no filter of this list. Allowed: {known}." for name in unknown}
            )
        return super().is_valid()


class FlagFilter(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], coerce=lambda text: text == "true", **options)


class LanguageFilter(filters.ChoiceFilter):
    """Chooses no rows: the language of the texts in the reply."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[(code, code) for code in LANGUAGES], **options)

    def filter(self, rows: QuerySet, language: str) -> QuerySet:
        return rows


class MomentField(IsoDateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        if moment is not None and not is_storable(moment):
            raise ValidationError(f"Give a time from the year {EARLIEST.year} to {LATEST.year}.")
        return moment


class MomentFilter(filters.IsoDateTimeFilter):
    """A time in ISO 8601; without an offset it is taken for UTC."""

    field_class = MomentField
