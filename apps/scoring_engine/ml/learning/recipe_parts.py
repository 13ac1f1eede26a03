"""The parts a recipe is made of; docs/how-to/train-on-your-own-data.md explains every setting."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LastRow:
    """The event happens in the last row of each `of`, and only there; see target.py."""

    of: str
    by: str
    panel_end: int
    censored: str = "drop"


@dataclass(frozen=True, slots=True)
class Target:
    """A row is bad when `column` is one of `equals`, or holds the text `contains`.

    good: the values that are good (empty: the one other value). indeterminate: rows left out.
    """

    column: str
    equals: tuple[Any, ...] = ()
    contains: str = ""
    good: tuple[Any, ...] = ()
    indeterminate: tuple[Any, ...] = ()
    last_row: LastRow | None = None


@dataclass(frozen=True, slots=True)
class Time:
    """Rows from `cut` on are out of time; rows before `first` are left out."""

    column: str
    cut: dt.date
    first: dt.date = dt.date.min


@dataclass(frozen=True, slots=True)
class Weight:
    """Each row counts as many times as `column` says: positive and finite."""

    column: str


@dataclass(frozen=True, slots=True)
class Gates:
    """What the test rows must show before the card counts as accepted; None or empty: no gate."""

    auc_at_least: float | None = None
    calibration_slope: tuple[float, ...] = ()
    observed_to_expected: tuple[float, ...] = ()
    psi_at_most: float | None = None


@dataclass(frozen=True, slots=True)
class RejectInference:
    """Rows whose `column` is one of `rejected` have no outcome; how one is assumed for them.

    prudence: how many times worse than the accepted of the same score band they are taken to be.
    """

    method: str
    column: str
    rejected: tuple[Any, ...]
    prudence: float = 1.5
    bands: int = 10


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows with column below or above a number, or equal to a value, are left out, for a stated reason."""

    column: str
    reason: str
    below: float | None = None
    above: float | None = None
    equals: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Columns that stay out of the model, for a stated reason."""

    columns: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Extra:
    """A second table, joined to the main one where all `keys` are equal."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class InputRule:
    """Where a fact comes from: column (x multiply_by) x times / divide_by, or a map of texts.

    A direction makes it a characteristic too. special_codes: meaning by code, the code as it stands in the
    column. empty_is: "" (missing), "unavailable", a special code, or a value of the category or flag.
    """

    column: str
    name: str = ""
    kind: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None
    note: str = ""
    required: bool = False
    special_codes: dict[str, str] = field(default_factory=dict)
    empty_is: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    multiply_by: str = ""
    times: float = 1
    divide_by: float = 1
    scale: str = ""
    direction: str = ""
    label: str = ""
    code: str = ""
    shown_as: str = ""
    stage: str = "main"
    validate_from: dt.date | None = None

    def source(self) -> str:
        """The expression over columns, for people."""
        text = self.column + (f" x {self.multiply_by}" if self.multiply_by else "")
        text += f" x {self.times:,}" if self.times != 1 else ""
        return text + (f" / {self.divide_by:,}" if self.divide_by != 1 else "")


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """A derived feature, as the card declares it; a direction makes it a characteristic."""

    name: str
    kind: str
    of: tuple[str, ...]
    multiplier: int = 1
    least: float = 0
    most: float = 0
    direction: str = ""
    label: str = ""
    code: str = ""
    shown_as: str = ""
    stage: str = "main"
    validate_from: dt.date | None = None

    def as_declared(self) -> dict[str, Any]:
        """The entry of a card's `features`."""
        entry: dict[str, Any] = {"name": self.name, "kind": self.kind, "of": list(self.of)}
        if self.kind == "ratio":
            entry |= {"multiplier": self.multiplier, "least": self.least, "most": self.most}
        return entry


@dataclass(frozen=True, slots=True)
class CharacteristicRule:
    """An input or feature with a direction.

    stage: main, or after (fitted last, with the rest of the card as offset, where it is known).
    """

    feature: str
    label: str
    unit: str
    direction: str
    code: str
    stage: str = "main"
    validate_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same training with some settings of the recipe changed, for the report only."""

    name: str
    changes: dict[str, Any]
