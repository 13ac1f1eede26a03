import json

import pytest

from tests.golden.card_scores import FILE, scores_of, shipped_cards


@pytest.mark.parametrize("card", shipped_cards(), ids=lambda card: card.version)
def test_shipped_cards_score_as_they_did(card):
    kept = json.loads(FILE.read_text())
    assert card.version in kept, "a new card: python -m tests.golden.card_scores --overwrite"
    assert scores_of(card) == kept[card.version]


def test_no_scores_are_kept_of_cards_that_are_gone():
    assert set(json.loads(FILE.read_text())) == {card.version for card in shipped_cards()}
