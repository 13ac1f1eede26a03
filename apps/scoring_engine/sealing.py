"""The JSON of a scoring that is sealed, and that which its digest is made of, put together of parts.

Most of it says the same of every applicant in one bin, or of one source. Such parts are written once and kept, because
writing the whole for each applicant would take longer than all else that a scoring does.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from functools import lru_cache
from math import isfinite
from typing import Any

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
Sources = Mapping[str, Mapping[str, str | bool]]


def written_facts(facts: Mapping[str, Any]) -> dict[str, str]:
    """Each fact as a member of a JSON object, by name."""
    return {name: _name(name) + _WRITERS.get(value.__class__, _encode)(value) for name, value in facts.items()}


def digested_text(
    facts: Mapping[str, str], unavailable: Collection[str], currency: str, card: str, bins: Mapping[str, str]
) -> str:
    """Canonical: keys sorted, no spaces, ASCII. `facts`: as written; `card`: its digest; `bins`: label by feature."""
    told_bins = _joined([_member(*entry) for entry in sorted(bins.items())])
    told_facts = _joined([facts[name] for name in sorted(facts)])
    told_unavailable = _encode(sorted(unavailable)) if unavailable else "[]"
    rest = f'{_member("currency", currency)},"facts":{{{told_facts}}},{_member("model", card)}'
    return f'{{"bins":{{{told_bins}}},{rest},"unavailable":{told_unavailable}}}'


def sealed_text(
    facts: Mapping[str, str],
    sources: Sources,
    explanation: Iterable[Mapping[str, Any]],
    bins: Mapping[str, str],
    warnings: Iterable[Mapping[str, str]],
    rest: Mapping[str, str | Collection[str]],
) -> str:
    """`facts`: as written. `rest`: texts and lists of names beside these."""
    characteristics = [_characteristic(entry, bins[entry["feature"]]) for entry in explanation]
    parts = [
        f'"facts":{{{_joined(facts.values())}}},"sources":{{{_sources(sources)}}}',
        f'"characteristics":[{_joined(characteristics)}]',
        f'"warnings":[{_joined([_warning(**warning) for warning in warnings])}]',
        *(_name(name) + (_WRITERS.get(told.__class__, _encode)(told) if told else "[]") for name, told in rest.items()),
    ]
    return f"{{{_joined(parts)}}}"


_joined, _text = ",".join, json.encoder.encode_basestring_ascii


@lru_cache(maxsize=1000)
def _name(name: str) -> str:
    return f"{_encode(name)}:"


@lru_cache(maxsize=10_000)
def _member(name: str, text: str) -> str:
    return f"{_encode(name)}:{_encode(text)}"


def _sources(sources: Sources) -> str:
    every = sources.values()
    first = next(iter(every), None)
    # Facts that a caller sent have one source, the same object for all of them.
    if first is not None and all(told is first for told in every):
        return _of_one_source(tuple(sources), *first.values())
    return _joined([_name(name) + _source(*told.values()) for name, told in sources.items()])


@lru_cache(maxsize=100)
def _of_one_source(names: tuple[str, ...], *told: str | bool) -> str:
    return _joined([_name(name) + _source(*told) for name in names])


@lru_cache(maxsize=1000)
def _source(source: str, at: str, origin: str | None = None, is_stale: bool | None = None) -> str:
    told = {"source": source, "at": at}
    return _encode(told if origin is None else told | {"origin": origin, "is_stale": is_stale})


@lru_cache(maxsize=1000)
def _warning(code: str, fact: str, message: str) -> str:
    return _encode({"code": code, "fact": fact, "message": message})


def _float(value: float) -> str:
    return repr(value) if isfinite(value) else _encode(value)


def _date(value: date) -> str:
    return f'"{value.isoformat()}"'


# As the encoder writes them, in a third of its time. Of other types there are lists: the values of a pair.
_WRITERS: dict[type, Callable[[Any], str]] = {
    int: repr,
    float: _float,
    str: _text,
    bool: {False: "false", True: "true"}.__getitem__,
    date: _date,
}


def _characteristic(entry: Mapping[str, Any], label: str) -> str:
    value = entry["value"]
    fixed = _of_bin(entry["feature"], entry["points"], entry["reference_points"], entry["code"], label)
    return f"{fixed}{_WRITERS.get(value.__class__, _encode)(value)}}}"


@lru_cache(maxsize=10_000)
def _of_bin(feature: str, points: int, reference_points: int, code: str, label: str) -> str:
    document = {"feature": feature, "points": points, "reference_points": reference_points, "code": code, "bin": label}
    return f'{_encode(document)[:-1]},"value":'
