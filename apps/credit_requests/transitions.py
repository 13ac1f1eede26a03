"""The life of a credit request: who may move it from which status to which. The one table of it.

Services ask `check_move`; the database refuses every other move by a trigger (guards.py), whoever writes. An issue that
enables a move adds a row here and a migration that sets the guard anew; a test compares the two.
"""

from dataclasses import dataclass

from apps.accounts.models import Role, User
from apps.common.errors import Conflict, NotPermitted

PENDING, REFERRED, APPROVED, REJECTED, WITHDRAWN = STATUSES = (
    "pending",
    "referred",
    "approved",
    "rejected",
    "withdrawn",
)
NEW = ""  # the status of a request that is not there yet
UNDECIDED = (PENDING, REFERRED)  # may be rescored
CHANGEABLE = (PENDING,)  # amount, term and product may change


@dataclass(frozen=True, slots=True)
class Move:
    """`roles` may do `action`, which takes a request from `source` to `target`."""

    action: str
    source: str
    target: str
    roles: frozenset[str]


MOVES = (
    Move("create", NEW, PENDING, frozenset({Role.OFFICER})),
    Move("withdraw", PENDING, WITHDRAWN, frozenset({Role.OFFICER})),
    Move("withdraw", REFERRED, WITHDRAWN, frozenset({Role.OFFICER})),
)


def find_move(action: str, source: str) -> Move | None:
    return next((move for move in MOVES if (move.action, move.source) == (action, source)), None)


def check_move(*, action: str, source: str, actor: User | None) -> Move:
    """The move of the table. No actor means the system itself (a command), which is not asked for a role."""
    move = find_move(action, source)
    if move is None:
        raise Conflict(f"The request is {source}; it cannot {action} any more.")
    if actor is not None and actor.role not in move.roles:
        raise NotPermitted(f"The role {actor.role} may not {action} a request; {', '.join(sorted(move.roles))} may.")
    return move


def check_undecided(status: str, what: str) -> None:
    if status not in UNDECIDED:
        raise Conflict(f"The request is {status}; {what} is possible only while it is {' or '.join(UNDECIDED)}.")


def check_changeable(status: str) -> None:
    if status not in CHANGEABLE:
        raise Conflict(f"The request is {status}; amount, term and product change only while it is pending.")
