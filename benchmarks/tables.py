"""What the training benchmark prints of its runs: tables of figures, and each figure to reach with its answer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from apps.scoring_engine.ml.learning.metrics import (
    auc,
    delong,
    expected_calibration_error,
    log_loss,
    paired_bootstrap,
)

from .peers import CEILING, READABLE, STRONG

CARD = "card"
NORMAL_95 = 1.959963984540054
MARGIN = 0.002  # of mean AUC, below the best single mean of the strong peers
MOST_FITS, AIM_FITS = 10, 4  # single LightGBM fits that the training of a card may take
MOST_PAIRS, MOST_BINS, MOST_CELLS = 12, 20, 64


@dataclass(frozen=True, slots=True)
class Run:
    """One model on one set. Per tested row: outcome, probability, group, fold; per fold: seconds and a note."""

    set: str
    model: str
    is_bad: np.ndarray
    probability: np.ndarray
    group: np.ndarray
    fold: np.ndarray
    fit_seconds: tuple[float, ...]
    seconds: tuple[float, ...]
    notes: tuple[str, ...]
    grouped: bool

    def write(self, path: Path) -> None:
        np.savez_compressed(path, **{name: np.asarray(getattr(self, name)) for name in self.__slots__})

    @classmethod
    def read(cls, path: Path) -> "Run":
        with np.load(path, allow_pickle=False) as kept:
            found = {name: kept[name] for name in cls.__slots__}
        singles = {name: found[name].item() for name in ("set", "model", "grouped")}
        lists = {name: tuple(found[name].tolist()) for name in ("fit_seconds", "seconds", "notes")}
        return cls(**{**found, **singles, **lists})

    def auc(self) -> float:
        """Mean over the folds, so that a model is not charged for the level of one fold against another."""
        return float(np.mean([auc(self.is_bad[rows], self.probability[rows]) for rows in self.folds()]))

    def folds(self) -> list[np.ndarray]:
        return [self.fold == number for number in np.unique(self.fold)]


def difference(first: Run, second: Run) -> tuple[float, float, float]:
    """AUC of the first less the second with its 95 % interval.

    Folds: the mean of DeLong's differences, whose variances add up, since no row is tested twice. Rows in
    groups: a bootstrap of whole groups (one fold only).
    """
    if first.grouped:
        return paired_bootstrap(first.is_bad, first.probability, second.probability, first.group)
    found = [delong(first.is_bad[r], first.probability[r], second.probability[r]) for r in first.folds()]
    mean = float(np.mean([one.difference for one in found]))
    variance = sum(((one.upper - one.lower) / (2 * NORMAL_95)) ** 2 for one in found)
    half = NORMAL_95 * float(np.sqrt(variance)) / len(found)
    return mean, mean - half, mean + half


FIGURES: dict[str, Callable[[Run], float]] = {
    "AUC": Run.auc,
    "Expected calibration error": lambda run: expected_calibration_error(run.is_bad, run.probability),
    "Log-loss": lambda run: log_loss(run.is_bad, run.probability),
    "Seconds of one fit, median over the folds": lambda run: float(np.median(run.fit_seconds)),
    "Seconds with tuning, median over the folds": lambda run: float(np.median(run.seconds)),
}


def print_tables(runs: Sequence[Run], out: TextIO) -> None:
    for title in FIGURES:
        print("\n".join(["", *_table(title, runs)]), file=out)
    for lines in (_differences(runs), _sizes(runs)):
        if lines:
            print("\n".join(["", *lines]), file=out)
    out.flush()


def _table(title: str, runs: Sequence[Run]) -> list[str]:
    found, models = _by_set(runs), _models(runs)
    digits = 2 if title.startswith("Seconds") else 4
    lines = [title, f"{'':14}" + "".join(f"{name:>14}" for name in models)]
    for name, row in found.items():
        values = [f"{FIGURES[title](row[m]):.{digits}f}" if m in row else "" for m in models]
        lines.append(f"{name:14}" + "".join(f"{value:>14}" for value in values))
    whole = [m for m in models if all(m in row for row in found.values())]
    means = {m: mean_of(title, runs, m) for m in whole}
    lines.append(f"{'mean':14}" + "".join(f"{means[m]:>14.{digits}f}" if m in means else f"{'':14}" for m in models))
    return lines


def _differences(runs: Sequence[Run]) -> list[str]:
    """Card less each peer."""
    lines = []
    for name, row in _by_set(runs).items():
        for model in [m for m in (*READABLE, *STRONG, *CEILING) if m in row and CARD in row]:
            lines.append(
                f"{name:14}{model:14}{{:+.4f}} ({{:+.4f}} .. {{:+.4f}})".format(*difference(row[CARD], row[model]))
            )
    return ["AUC of the card less the peer's, paired 95 %", *lines] if lines else []


def _sizes(runs: Sequence[Run]) -> list[str]:
    """Medians over the folds."""
    cards = [run for run in runs if run.model == CARD]
    if not cards:
        return []
    names = list(json.loads(cards[0].notes[0]))
    lines = ["Size of the card, median over the folds", f"{'':14}" + "".join(f"{name:>17}" for name in names)]
    return lines + [f"{r.set:14}" + "".join(f"{np.median(size(r, name)):17.0f}" for name in names) for r in cards]


def size(run: Run, name: str) -> list[int]:
    return [json.loads(note)[name] for note in run.notes]


def demands(runs: Sequence[Run]) -> list[str]:
    """Each figure to reach, with reached or by how much not."""
    found = [row for row in _by_set(runs).values() if CARD in row]
    if not found:
        return ["the card was not run"]
    return [*_beside_readable(found), *_means(runs), *_times(found), *_readable(found)]


def _beside_readable(found: list[dict[str, Run]]) -> list[str]:
    lines = []
    for row in found:
        if peers := [row[m] for m in READABLE if m in row]:
            best = max(peers, key=Run.auc)
            mean, lower, upper = difference(row[CARD], best)
            word = "reached" if upper >= 0 else f"not reached: by {-upper:.4f}"
            word += " (significantly better)" if lower > 0 else ""
            lines.append(f"{best.set}: not significantly worse than {best.model}, the best readable peer: {word}; "
                         f"{mean:+.4f} ({lower:+.4f} .. {upper:+.4f})")  # fmt: skip
    return lines


def _means(runs: Sequence[Run]) -> list[str]:
    strong = [model for model in STRONG if model in _models(runs)]
    if not strong:
        return []
    lines = []
    best = max(strong, key=lambda model: mean_of("AUC", runs, model))
    mine, theirs = mean_of("AUC", runs, CARD), mean_of("AUC", runs, best)
    lines.append(
        f"mean AUC {mine:.4f}, at least {best}'s {theirs:.4f} less {MARGIN}: {_reached(theirs - MARGIN - mine)}"
    )
    lines.append(f"aim, mean AUC above {best}'s {theirs:.4f}: {_reached(theirs - mine)}")
    for model in [m for m in CEILING if m in _models(runs)]:
        ceiling = mean_of("AUC", runs, model)
        lines.append(f"aim, mean AUC of {model}, {ceiling:.4f}: {_reached(ceiling - mine)}")
    title = "Expected calibration error"
    for model in strong:
        mine, theirs = mean_of(title, runs, CARD), mean_of(title, runs, model)
        lines.append(f"mean expected calibration error {mine:.4f}, {model}'s {theirs:.4f}: {_reached(mine - theirs)}")
    return lines


def _times(found: list[dict[str, Run]]) -> list[str]:
    """Training of the card to one last fit of a peer, whose tuning is counted in the brackets only."""
    lines = []
    for model, most in (("catboost", 1.0), ("ebm_pairs", 1.0), ("lightgbm", MOST_FITS), ("lightgbm", AIM_FITS)):
        both = [(row[CARD], row[model]) for row in found if model in row]
        if both:
            ratios = [np.median(card.fit_seconds) / np.median(peer.fit_seconds) for card, peer in both]
            cards = sum(np.median(card.fit_seconds) for card, _ in both)
            whole = cards / sum(np.median(peer.fit_seconds) for _, peer in both)
            tuned = cards / sum(np.median(peer.seconds) for _, peer in both)
            what = "aim, training" if most == AIM_FITS else "training"
            lines.append(f"{what} time, card to one fit of {model}, at most {most:g}: {_reached(whole - most)}; "
                         f"{whole:.2f} over all sets, {min(ratios):.2f} to {max(ratios):.2f} by set "
                         f"({tuned:.2f} of a fit with its tuning)")  # fmt: skip
    return lines


def _readable(found: list[dict[str, Run]]) -> list[str]:
    worst = {name: max(max(size(row[CARD], name)) for row in found) for name in ("pairs", "most_bins", "most_cells")}
    limits = {"pairs": MOST_PAIRS, "most_bins": MOST_BINS, "most_cells": MOST_CELLS}
    return [f"readable, {name} {worst[name]}, at most {most}: {_reached(worst[name] - most)}"
            for name, most in limits.items()]  # fmt: skip


def _reached(short: float) -> str:
    return "reached" if short <= 0 else f"not reached: by {short:.4f}"


def mean_of(title: str, runs: Sequence[Run], model: str) -> float:
    return float(np.mean([FIGURES[title](run) for run in runs if run.model == model]))


def _models(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.model for run in runs))


def _by_set(runs: Sequence[Run]) -> dict[str, dict[str, Run]]:
    found: dict[str, dict[str, Run]] = {}
    for run in runs:
        found.setdefault(run.set, {})[run.model] = run
    return found


def as_json(runs: Sequence[Run]) -> dict[str, Any]:
    """Every figure by set and model, and the card's paired differences."""
    found = _by_set(runs)
    figures = {
        name: {model: {title: round(figure(run), 6) for title, figure in FIGURES.items()} | {"notes": run.notes}
               for model, run in row.items()}
        for name, row in found.items()
    }  # fmt: skip
    differences = {
        name: {model: [round(v, 6) for v in difference(row[CARD], run)] for model, run in row.items() if model != CARD}
        for name, row in found.items() if CARD in row
    }  # fmt: skip
    return {"figures": figures, "card_less_peer": differences, "demands": demands(runs)}
