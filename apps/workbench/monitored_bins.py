"""The characteristics that a card counts, and their bins, in the words of the page."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from apps.scoring_engine.ml.cards import Card, CardError, read_card
from apps.scoring_engine.ml.characteristics import Characteristic
from apps.scoring_engine.ml.features import SPECIAL
from apps.scoring_engine.ml.reasons import bin_labels
from apps.scoring_engine.models import ModelCard
from apps.workbench.card_tables import STATES, bin_texts, feature_name
from apps.workbench.templatetags.formats import measure


@dataclass(frozen=True, slots=True)
class CardWords:
    """`features`: by name; `bins`: by characteristic and label. What is not there is called as the engine calls it."""

    features: Mapping[str, str] = field(default_factory=dict)
    bins: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def feature(self, name: str) -> str:
        return self.features.get(name) or measure(name)

    def bin(self, name: str, label: str) -> str:
        return self.bins.get((name, label), label)


def card_words(digest: str | None) -> CardWords:
    """Of an estimator, which has no bins, there are none."""
    text = ModelCard.objects.filter(digest=digest).values_list("text", flat=True).first()
    if text is None:
        return CardWords()
    try:
        card = read_card(json.loads(text))
    except CardError:
        return CardWords()
    bins = {(one.feature, label): name for one in card.characteristics for label, name in _bins(card, one)}
    return CardWords({one.feature: feature_name(card, one.feature) for one in card.characteristics}, bins)


def _bins(card: Card, one: Characteristic) -> Iterator[tuple[str, str]]:
    yield from zip(bin_labels(one), bin_texts(card, one), strict=True)
    yield from ((SPECIAL + code, meaning) for code, meaning in card.codes_of(one.feature).items())
    yield from ((state, str(text)) for state, text in STATES.items())
