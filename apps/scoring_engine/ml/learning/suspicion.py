"""Why a column may have to stay out of a model: it knows the outcome, names a row, or says who a person is."""

import re

import numpy as np
import pandas as pd

from ..vocabulary import NEVER_SCORED
from .guessing import Guess
from .metrics import auc
from .naming import name_of

TIME_ITSELF = 0.95  # rank correlation with the day of the row
TOO_GOOD = 0.95  # AUC of one column alone
PURE, SHARE_OF_BADS = 0.98, 0.2  # bad rate of a part of the values that holds this share of all bads
LEAST = 20  # bads and goods below which nothing is concluded
SHRINKAGE = 20.0
MOST_GROUPS = 100  # a column of people or places with more values cannot be compared group by group
LONG_TEXT = 40
CERTAIN = ("no value", "one value", "likely a leak")  # reasons that stand for columns about people too
_PEOPLE_WORDS = (
    "sex gender age aged ethnicity ethnic race nationality citizenship religion foreign birth birthdate dob region"
    " place city state province district address zip zipcode postcode county pinfl"
    " pol vozrast natsionalnost grazhdanstvo oblast rayon gorod adres rozhdeniya"
    " jins jinsi yosh yoshi millat millati viloyat viloyati tuman tumani shahar shahri hudud"
    " hududi fuqaroligi manzil manzili tugilgan"
)
_ID_WORDS = "id no nr number num key code inn pinfl passport nomer kod row index"
_NAMES = frozenset(["name", "company", "firm", "client", "customer", "borrower", "fio", "imya", "klient", "mijoz"])
_PEOPLE, _IDS = frozenset(_PEOPLE_WORDS.split()), frozenset(_ID_WORDS.split())
_LATER = re.compile(
    r"recover|charge_?off|charged_off|chg_?off|write_?off|written_off|last_pa?yme?nt|last_pymnt|total_pa?yme?nt"
    r"|total_pymnt|total_rec|out_prncp|settlement|hardship|collection_fee|default_date|days_past_due|spisan|vzyskan"
)


def is_of_people(column: str) -> bool:
    """Whether a name, in English, Russian or Uzbek, says who or where a person is."""
    return bool(_PEOPLE & set(name_of(column).split("_")))


def reason_to_leave_out(guess: Guess, is_bad: np.ndarray, known: np.ndarray, when: np.ndarray | None) -> str:
    """A reason for [[not_used]], or "". known: rows with an outcome; when: the day of each row."""
    name = name_of(guess.column)
    filled = int((~guess.empty).sum())
    if filled == 0:
        return "no value in any row"
    if guess.distinct == 1 and filled == len(guess.empty):
        return "one value in all rows"
    if reason := _knows_outcome(guess, is_bad, known):
        return reason
    if _LATER.search(name):
        return "by its name it is known only after the loan was granted: check"
    if name in NEVER_SCORED:
        return NEVER_SCORED[name]
    return _identifies(guess, name, filled) or _is_later(guess, when) or _follows_time(guess, when)


def _knows_outcome(guess: Guess, is_bad: np.ndarray, known: np.ndarray) -> str:
    bad, empty = is_bad[known], guess.empty[known]
    if guess.empty.any() and (found := _separates(bad, empty.astype(float))):
        return f"likely a leak: whether it is empty tells the outcome ({found})"
    risk = _risk(guess, bad, known)
    if risk is not None and (found := _separates(bad[~empty], risk[~empty])):
        return f"likely a leak: alone it tells the outcome ({found})"
    return ""


def _risk(guess: Guess, bad: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """A number by which the values can be ordered: themselves, or the shrunk bad rate of a category."""
    if guess.values is not None:
        return guess.values[known]
    if guess.days is not None:
        return guess.days[known].astype(float)
    if guess.texts is None:
        return None
    codes = guess.texts.codes[known]
    if guess.distinct > len(codes) / 10 or guess.distinct == 0:
        return None
    mass, bads = (np.bincount(codes + 1, part, guess.distinct + 1) for part in (np.ones(len(codes)), bad.astype(float)))
    return ((bads + SHRINKAGE * bad.mean()) / (mass + SHRINKAGE))[codes + 1]


def _separates(bad: np.ndarray, risk: np.ndarray) -> str:
    """How well a column tells bad from good, where that is too well to be true; else ""."""
    bads, goods = int(bad.sum()), int((~bad).sum())
    if min(bads, goods) < LEAST:
        return ""
    area = auc(bad, risk)
    if max(area, 1 - area) > TOO_GOOD:
        return f"AUC {max(area, 1 - area):.3f}"
    share = max(_pure_share(bad, risk), _pure_share(bad, -risk))
    if share >= SHARE_OF_BADS and bad.mean() < 0.7:
        return f"{share:.0%} of the bad rows stand apart with hardly a good one among them"
    return ""


def _pure_share(bad: np.ndarray, risk: np.ndarray) -> float:
    """The largest share of all bads above some value where nearly every row is bad."""
    order = np.argsort(-risk, kind="stable")
    last = np.flatnonzero(np.append(np.diff(risk[order]) != 0, True))
    bads = np.cumsum(bad[order])[last]
    pure = bads / (last + 1) >= PURE
    return float(bads[pure].max() / bads[-1]) if pure.any() else 0.0


def _identifies(guess: Guess, name: str, filled: int) -> str:
    alone = guess.distinct >= 0.99 * filled and filled > LEAST
    if guess.kind == "category" and guess.distinct > MOST_GROUPS and _NAMES & set(name.split("_")):
        return f'names somebody; if the rows of one belong together, write group = "{guess.column}"'
    if guess.kind == "category" and alone:
        return "another text in every row: it names rows, or is free text"
    if (
        guess.kind == "category"
        and guess.distinct > 50
        and (guess.distinct > 0.3 * filled or np.mean([len(level) for level in guess.texts.levels]) > LONG_TEXT)
    ):
        return f"free text: {guess.distinct:,} different ones"
    named = bool(_IDS & set(name.split("_")))
    if guess.is_whole and alone and (named or _counts_rows(guess.values)):
        return "another number in every row: it names rows"
    return ""


def _counts_rows(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    ordered = bool((np.diff(known) > 0).all() or (np.diff(known) < 0).all())
    return ordered or float(np.ptp(known)) < 1.05 * len(known)


def _is_later(guess: Guess, when: np.ndarray | None) -> str:
    if guess.days is None:
        return ""
    if when is None:
        return "a day says something only beside the day of the row: draft again with --date"
    later = int((guess.days > when).sum())
    return f"{later:,} rows have a day after the row's own: known only later" if later else ""


def _follows_time(guess: Guess, when: np.ndarray | None) -> str:
    """Such as the year of approval: in later rows it only takes values that no earlier row has."""
    if guess.values is None or when is None or guess.distinct < 2:
        return ""
    known = ~np.isnan(guess.values)
    ranks = [pd.Series(part[known]).rank() for part in (guess.values, when.astype(float))]
    if abs(ranks[0].corr(ranks[1])) < TIME_ITSELF:
        return ""
    return "it goes with the day of the row, so it says when, not who"


def direction_hint(guess: Guess, is_bad: np.ndarray, known: np.ndarray) -> str:
    """A sentence on a clear trend of the bad rate over a number, or ""."""
    values = guess.values[known].copy()
    values[np.isin(values, [float(code) for code in guess.codes])] = np.nan
    frame = pd.DataFrame({"value": values, "bad": is_bad[known]}).dropna()
    if frame["value"].nunique() < 2 or frame["bad"].nunique() < 2:
        return ""
    rank = float(frame["value"].rank().corr(frame["bad"].astype(float)))
    rates = frame.groupby(pd.qcut(frame["value"], 10, duplicates="drop"), observed=True)["bad"].mean()
    steady = len(rates) < 3 or abs(rates.rank().corr(pd.Series(range(len(rates)), index=rates.index))) > 0.8
    if abs(rank) < 0.03 or not steady:
        return ""
    direction = "higher_is_riskier" if rank > 0 else "higher_is_safer"
    return f"looks {direction}: rank correlation {rank:+.2f}; state it if it makes sense"
