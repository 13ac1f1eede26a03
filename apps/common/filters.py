"""List filters that refuse what they do not know: a mistyped filter must not answer with every record."""

from typing import Any

from django_filters import rest_framework as filters

PAGING = frozenset({"cursor", "page_size", "format"})


class StrictFilterSet(filters.FilterSet):
    """A query parameter that is no filter is refused with 400, by name."""

    def is_valid(self) -> bool:
        for name in sorted(set(self.data) - set(self.filters) - PAGING):
            known = ", ".join(sorted({*self.filters, *PAGING}))
            self.form.add_error(None, f"{name[:40]!r} is not a filter of this list. Allowed: {known}.")
        return super().is_valid()


class FlagFilter(filters.TypedChoiceFilter):
    """`true` or `false`, and nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], coerce=lambda text: text == "true", **options)
