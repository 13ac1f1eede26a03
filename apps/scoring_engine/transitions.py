"""The life of a model: which move takes it from which state to which. The one table of it.

The database refuses every other move by a trigger (guards.py), whoever writes; a test compares the two.
"""

from apps.common.errors import Conflict
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
        allowed = ", ".join(source for known, source in MOVES if known == action)
        raise Conflict(f"The model is {state}; only one that is {allowed} can be taken to the next state by {action}.")
    return MOVES[action, state]
