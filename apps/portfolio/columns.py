"""Which column of a file is which fact: guessed by name, said by people, checked before anything is scored."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.portfolio.tables import Cell
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FACTS, Fact
from apps.scoring_engine.ml.words import LANGUAGES, words_of

ROW_ID = "row_id"
_NAMES = Path(__file__).with_name("column_names.toml")
_PINFL = re.compile(r"\d{14}", re.ASCII)


def facts_of(card: Scorecard) -> dict[str, Fact]:
    return dict(card.own.facts) if card.own else FACTS[card.segment]


def is_identifier(name: str, cells: Iterable[Cell]) -> bool:
    """By its name, or because every value that is there looks like a PINFL."""
    given = [str(cell) for cell in cells if cell is not None]
    return _folded(name) in _identifiers() or (bool(given) and all(_PINFL.fullmatch(text) for text in given))


def guess_mapping(names: Iterable[str], facts: Mapping[str, Fact]) -> dict[str, str]:
    """Fact (or "row_id") by name of column. Of two columns that could be one fact, the first is it."""
    known = _synonyms()
    found: dict[str, str] = {}
    for name in names:
        fact = known.get(_folded(name))
        if fact is not None and (fact in facts or fact == ROW_ID) and fact not in found.values():
            found[name] = fact
    return found


def check_mapping(mapping: Mapping[str, str], names: Iterable[str], card: Scorecard) -> None:
    """Raises InvalidInput."""
    facts, present = facts_of(card), set(names)
    if stray := [name for name in mapping if name not in present]:
        raise InvalidInput.of(mapping=Sentence("The file has no such column ({count} of them).", count=len(stray)))
    if unknown := sorted({fact for fact in mapping.values() if fact not in facts and fact != ROW_ID}):
        raise InvalidInput.of(
            mapping=Sentence("{count} of the chosen facts are not known of this kind of applicant.", count=len(unknown))
        )
    if twice := sorted(fact for fact, count in Counter(mapping.values()).items() if count > 1):
        raise InvalidInput.of(
            mapping=Sentence("Two columns were chosen for one fact: {facts}. Keep one of them.", facts=twice)
        )
    if not card.facts_used & set(mapping.values()):
        raise InvalidInput.of(
            mapping=Sentence("None of the chosen columns is a fact that the model uses. Choose at least one.")
        )


def _folded(name: str) -> str:
    """Without case, marks and signs; what differs only in the sign of oʻ and gʻ is the same."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(each for each in plain if each.isalnum() and each not in "\u02bb\u02bc")


@cache
def _texts() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_NAMES.read_text(encoding="utf-8"))


@cache
def _identifiers() -> frozenset[str]:
    return frozenset(map(_folded, _texts()["identifiers"]["names"]))


@cache
def _synonyms() -> dict[str, str]:
    found = {_folded(name): ROW_ID for name in _texts()["row_id"]["names"]} | {_folded("№"): ROW_ID}
    for facts in FACTS.values():
        for fact in facts:
            told = [fact, *(words_of(language).fact(fact) for language in LANGUAGES)]
            found |= {_folded(text): fact for text in (*told, *_texts()["facts"].get(fact, []))}
    found.pop("", None)
    return found
