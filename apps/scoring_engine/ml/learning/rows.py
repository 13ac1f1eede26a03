"""Rows of a table as the learner sees them: values, the states of what has no value, outcome, weight, group."""

from dataclasses import dataclass

import numpy as np

KNOWN, MISSING, UNAVAILABLE, SPECIAL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Rows:
    """Facts and derived features by name, one entry a row.

    values: float64 (NaN where there is none), datetime64[D] (NaT) or object (None) for categories and flags.
    states: int16; KNOWN, MISSING (the applicant did not give it), UNAVAILABLE (its source had nothing) or
    SPECIAL + k for the k-th of codes[name]. A value stands exactly where the state is KNOWN.
    is_bad: bool. weight: float64, above 0. group: int64, equal for rows that belong together.
    """

    values: dict[str, np.ndarray]
    states: dict[str, np.ndarray]
    codes: dict[str, tuple[str, ...]]
    is_bad: np.ndarray
    weight: np.ndarray
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.is_bad)

    def at(self, place: np.ndarray) -> "Rows":
        """The rows of a boolean mask or of row numbers."""
        return Rows(
            {name: column[place] for name, column in self.values.items()},
            {name: column[place] for name, column in self.states.items()},
            self.codes, self.is_bad[place], self.weight[place], self.group[place],
        )  # fmt: skip

    def known(self, name: str) -> np.ndarray:
        return self.states[name] == KNOWN
