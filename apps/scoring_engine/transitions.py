"""The life of a model: which move takes it from which state to which. The one table of it.

The database refuses every other move by a trigger (guards.py), whoever writes; a test compares the two.
"""

from apps.common.errors import Conflict
from apps.common.sentences import Sentence
from apps.scoring_engine.models import CHALLENGER, CHAMPION, DRAFT, RETIRED, VALIDATED

NEW = ""  # the state of a model that is not registered yet
MOVES = {
    ("register", NEW): DRAFT,
    ("validate", DRAFT): VALIDATED,
    ("promote", VALIDATED): CHAMPION,
    ("promote", CHALLENGER): CHAMPION,
    ("promote", RETIRED): CHAMPION,
    ("challenge", VALIDATED): CHALLENGER,
    ("challenge", RETIRED): CHALLENGER,
    ("retire", DRAFT): RETIRED,
    ("retire", VALIDATED): RETIRED,
    ("retire", CHALLENGER): RETIRED,
    ("retire", CHAMPION): RETIRED,
}


def state_after(action: str, state: str) -> str:
    """Raises Conflict for a move that is not in the table."""
    if (action, state) not in MOVES:
        allowed = [source for known, source in MOVES if known == action]
        raise Conflict(
            Sentence(
                "The model is {model_state}; only one that is {model_states} can be taken to the next state by "
                "{model_change}.",
                model_state=state,
                model_states=allowed,
                model_change=action,
            )
        )
    return MOVES[action, state]
