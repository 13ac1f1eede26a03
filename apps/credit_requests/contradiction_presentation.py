"""Contradictions as the officer reads them: a sentence with both values and how old each is."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from apps.scoring_engine.ml.words import plural_form, words_of

_TEXTS = Path(__file__).with_name("contradiction_texts.toml")
SHOWN = ("code", "source", "record", "version", "is_mock", "stated", "stated_at", "told", "told_at")


@cache
def contradiction_texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def render_contradictions(
    documents: Iterable[Mapping[str, Any]], *, now: datetime, language: str, currency: str
) -> list[dict[str, Any]]:
    """`documents`: as Comparison.document gives them; ages count to `now`."""
    return [
        {name: each[name] for name in SHOWN} | {"text": _sentence(each, now, language, currency)} for each in documents
    ]


def _sentence(each: Mapping[str, Any], now: datetime, language: str, currency: str) -> str:
    texts = contradiction_texts()[language]
    sentence = texts[each["what"]].format(
        stated=_value(each["stated"], language, currency),
        stated_age=_age(each["stated_at"], now, language),
        told=_value(each["told"], language, currency),
        told_age=_age(each["told_at"], now, language),
        about=each["about"],
    )
    return f"{sentence} {texts['mock']}" if each["is_mock"] else sentence


def _value(value: int | str, language: str, currency: str) -> str:
    return value if isinstance(value, str) else words_of(language).quantity("money", value, currency)


def _age(at: str, now: datetime, language: str) -> str:
    texts, days = contradiction_texts()[language], max((now - datetime.fromisoformat(at)).days, 0)
    if days == 0:
        return texts["today"]
    forms = texts["days"]
    return forms.get(plural_form(language, Decimal(days)), forms["other"]).format(days=days)
