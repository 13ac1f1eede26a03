"""The classifier itself: rows in, probabilities of bad out, by one thread."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apps.common.sentences import Sentence

from ..risk_model import ModelFileError
from ..vocabulary import one_line, shown
from .document import Column, Encoded

if TYPE_CHECKING:
    import numpy as np

# What scikit-learn, LightGBM and numpy raise over a row or over attributes that do not fit together.
UNPREDICTABLE = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, AssertionError, MemoryError,
    ImportError, NotImplementedError,
)  # fmt: skip
Row = Sequence[Encoded]


class Model:
    def __init__(self, classifier: Any, columns: tuple[Column, ...], bad_class: int | str | bool) -> None:
        """Raises ModelFileError unless it was fitted on these columns and on two classes, one of them `bad_class`."""
        self._classifier, self._columns = classifier, columns
        try:
            classes = classifier.classes_.tolist()
            width, names = classifier.n_features_in_, _names_of(classifier)
        except UNPREDICTABLE as error:
            raise ModelFileError(Sentence("it is not fitted ({reason})", reason=one_line(str(error), 150))) from None
        expected = [column.name for column in columns]
        if width != len(columns) or (names is not None and names != expected):
            fitted = ", ".join(names or [f"{width} columns"])
            raise ModelFileError(
                Sentence(
                    "it was fitted on {columns}; its manifest names {expected}",
                    columns=one_line(fitted, 300),
                    expected=expected,
                )
            )
        if len(classes) != 2 or bad_class not in classes:
            listed = ", ".join(map(shown, classes[:5]))
            raise ModelFileError(
                Sentence(
                    "its classes are {listed}; there must be two, one of them {given}",
                    listed=listed,
                    given=shown(bad_class),
                )
            )
        self._bad = classes.index(bad_class)
        self._named = names is not None

    def probability(self, row: Row) -> float:
        return float(self._probabilities([row])[0])

    def log_odds(self, rows: Sequence[Row], *, linear: bool, within: tuple[float, float]) -> "np.ndarray":
        """Of bad; of a linear model as they are, else of probabilities kept within bounds."""
        import numpy as np

        if linear:
            values = self._quietly("decision_function", rows)
            return values if self._bad == 1 else -values
        kept = np.clip(self._probabilities(rows), *within)
        return np.log(kept / (1 - kept))

    def own_contributions(self, row: Row) -> list[float]:
        """LightGBM's, to the log-odds of bad, by column."""
        return self._of_booster(row)[:-1]

    def own_reference(self) -> float:
        """LightGBM's mean log-odds in training: what its contributions are added to."""
        return self._of_booster([0.0] * len(self._columns))[-1]

    def _of_booster(self, row: Row) -> list[float]:
        import numpy as np

        booster = self._classifier.booster_
        values = booster.predict(np.array([row], dtype="f8"), pred_contrib=True, num_threads=1)[0]
        sign = 1 if self._bad == 1 else -1
        return [sign * self._steepness * float(value) for value in values]

    @property
    def _steepness(self) -> float:
        """LightGBM's parameter sigmoid: log-odds per unit of its raw score."""
        return float(self._classifier.get_params().get("sigmoid", 1.0))

    def try_out(self, reference: Row, trials: Mapping[str, Row]) -> None:
        """Raises ModelFileError naming the first kind of row that it cannot score; then none fails in service."""
        for what, row in {"the reference applicant": reference, **trials}.items():
            try:
                probability = self.probability(row)
            except UNPREDICTABLE as error:
                why = one_line(" ".join(str(error).split()), 150) or type(error).__name__
                raise ModelFileError(
                    Sentence(
                        "it cannot score an applicant with {applicant} ({reason})",
                        applicant=one_line(what, 120),
                        reason=why,
                    )
                ) from None
            if not 0 <= probability <= 1:
                raise ModelFileError(
                    Sentence(
                        "its probability for an applicant with {applicant} is {probability}",
                        applicant=one_line(what, 120),
                        probability=probability,
                    )
                )

    def _probabilities(self, rows: Sequence[Row]) -> "np.ndarray":
        return self._quietly("predict_proba", rows)[:, self._bad]

    def _quietly(self, method: str, rows: Sequence[Row]) -> "np.ndarray":
        with warnings.catch_warnings():
            # Of a category never seen, which the reply itself warns of; and of LightGBM about names of columns.
            warnings.simplefilter("ignore")
            return getattr(self._classifier, method)(self._table(rows))

    def _table(self, rows: Sequence[Row]) -> Any:
        import numpy as np

        texts = any(column.is_text for column in self._columns)
        plain = [[_plain(value, column) for value, column in zip(row, self._columns, strict=True)] for row in rows]
        if not self._named:
            return np.array(plain, dtype=object if texts else "f8")
        import pandas as pd

        parts = zip(self._columns, zip(*plain, strict=True), strict=True)
        return pd.DataFrame({c.name: pd.Series(part, dtype=object if c.is_text else "f8") for c, part in parts})


def _plain(value: Encoded, column: Column) -> Any:
    return math.nan if value is None and not column.is_text else value


def _names_of(classifier: Any) -> list[str] | None:
    """Of the columns, where it was fitted on a table that had names."""
    if getattr(classifier, "_fitted_with_feature_names", True) is False:
        return None
    names = getattr(classifier, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]
