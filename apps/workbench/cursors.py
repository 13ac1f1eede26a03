"""Pages of a list by the place of their first or last row, not by number: as fast on the thousandth as on the first."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet
from django.http import Http404

from apps.common.days import is_storable

OLDER, NEWER = "older", "newer"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first. `newer` and `older` ask for the neighbours; empty where there is none."""

    rows: list[Any]
    newer: str
    older: str


def read_page(rows: QuerySet[Any], asked: str, *, size: int) -> Page:
    """`rows` have created_at and id. `asked`: "" for the newest, or what a Page gave; Http404 for anything else."""
    way, place = _read(asked, rows.model._meta.pk)
    if way == NEWER:
        found = list(_beyond(rows, place, "gt").order_by("created_at", "id")[: size + 1])
        return _page(found[:size][::-1], newer=len(found) > size, older=True)
    narrowed = rows if place is None else _beyond(rows, place, "lt")
    found = list(narrowed.order_by("-created_at", "-id")[: size + 1])
    return _page(found[:size], newer=place is not None, older=len(found) > size)


def _page(rows: list[Any], *, newer: bool, older: bool) -> Page:
    return Page(
        rows,
        _write(NEWER, rows[0]) if newer and rows else "",
        _write(OLDER, rows[-1]) if older and rows else "",
    )


def _beyond(rows: QuerySet[Any], place: tuple[datetime, Any] | None, way: str) -> QuerySet[Any]:
    if place is None:
        return rows
    moment, id_ = place
    # The first condition lets an index on (created_at, id) find the place.
    return rows.filter(
        Q(**{f"created_at__{way}e": moment}),
        Q(**{f"created_at__{way}": moment}) | Q(created_at=moment, **{f"id__{way}": id_}),
    )


def _write(way: str, row: Any) -> str:
    return urlsafe_b64encode(f"{way} {row.created_at.isoformat()} {row.id}".encode()).decode().rstrip("=")


def _read(asked: str, key: Field) -> tuple[str, tuple[datetime, Any] | None]:
    if not asked:
        return OLDER, None
    try:
        text = urlsafe_b64decode(asked + "=" * (-len(asked) % 4)).decode()
        way, moment, id_ = text.split(" ")
        place = (datetime.fromisoformat(moment), key.to_python(id_))
    except (ValueError, ValidationError, binascii.Error):
        raise Http404 from None
    if way not in (OLDER, NEWER) or not is_storable(place[0]):
        raise Http404
    return way, place
