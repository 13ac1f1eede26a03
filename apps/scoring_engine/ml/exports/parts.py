"""What every export needs to know of a card: the facts it reads, the order of its features, the states that occur."""

from ..card_inputs import OTHER_SCALE, Input
from ..cards import AS_OF, Card, Feature, read_card
from ..features import SPECIAL
from ..scorecard import Scorecard
from ..typed_json import LARGEST
from ..vocabulary import FACTS, SCALE_OF

POINTS_TABLES_ONLY = "is not a points table: only scorecards can be exported"


class ExportError(ValueError):
    """Why a model cannot be exported as asked, as one sentence."""


class Parts:
    """card: as read; facts: inputs that the tables rest on; features: those that they rest on, parts first."""

    def __init__(self, scorer: object) -> None:
        if not isinstance(scorer, Scorecard):
            raise ExportError(f"{getattr(scorer, 'version', 'This model')} {POINTS_TABLES_ONLY}.")
        self.scorer = scorer
        self.card: Card = read_card(scorer.to_dict())
        self.axes = tuple(axis for pair in self.card.pairs for axis in pair.axes)
        used = _with_parts(self.card, {table.feature for table in (*self.card.characteristics, *self.axes)})
        self.features: tuple[Feature, ...] = tuple(f for f in self.card.features if f.name in used)
        self.facts: tuple[Input, ...] = tuple(entry for entry in self.card.inputs if entry.name in used)
        self.scales = tuple(SCALE_OF[entry.name] for entry in self.facts if entry.scale is not None)
        self.reads_as_of = any(AS_OF in feature.of for feature in self.features)

    def kinds(self) -> dict[str, str]:
        """Kind by name of every fact that is read, the scales of scores included."""
        scales = {name: FACTS[self.card.segment][name].kind for name in self.scales}
        return {entry.name: entry.kind for entry in self.facts} | scales

    def specials(self, name: str) -> tuple[str, ...]:
        """The states special:<code> that a fact or feature can be in."""
        return tuple(SPECIAL + code for code in self.card.codes_of(name))

    def levels(self) -> list[list[Feature]]:
        """Features in the order of computing: those of one list rest on facts and on lists before it."""
        depth: dict[str, int] = {}
        for feature in self.features:
            depth[feature.name] = 1 + max(depth.get(part, 0) for part in feature.of)
        return [[f for f in self.features if depth[f.name] == level] for level in sorted(set(depth.values()))]

    def title(self) -> str:
        return f"Scorecard {self.card.version} ({self.card.segment})"


def code_values(entry: Input) -> dict[str, float]:
    """The special codes of a fact that are numbers, by their names."""
    return {code: float(code) for code in entry.special_codes if code != OTHER_SCALE}


def over_nothing(feature: Feature) -> tuple[float, float, float]:
    """What a ratio over zero is for a numerator below, at and above zero, within the bounds of the feature."""
    least, most = float(feature.least), float(feature.most)
    return least, min(max(0.0, least), most), most


def check_exact(parts: Parts) -> None:
    """Raises ExportError for numbers that only Python, whose whole numbers have no end, compares exactly."""
    tables = (*parts.card.characteristics, *parts.axes)
    found = [(table.feature, "edges", table.edges or ()) for table in tables]
    found += [(feature.name, "bounds", (feature.least, feature.most)) for feature in parts.features]
    for name, what, numbers in found:
        if any(number != float(number) or abs(number) > LARGEST for number in numbers):
            raise ExportError(f"The {what} of {name} are too large: numbers of a database are not exact there.")


def _with_parts(card: Card, names: set[str]) -> set[str]:
    for feature in reversed(card.features):
        if feature.name in names:
            names |= set(feature.of)
    return names
