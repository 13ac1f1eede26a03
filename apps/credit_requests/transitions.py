"""The life of a credit request: who may move it from which status to which. The one table of it.

Services ask `check_move`; the database refuses every other move by a trigger (guards.py), whoever writes. An issue that
enables a move adds a row here and a migration that sets the guard anew; a test compares the two.
"""

from dataclasses import dataclass

from apps.accounts.models import Role, User
from apps.common.errors import Conflict, NotPermitted
from apps.common.sentences import Sentence

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
STATUS_OF = {"approve": APPROVED, "refer": REFERRED, "decline": REJECTED}  # of an outcome

OFFICER = frozenset({Role.OFFICER})
DECIDERS = frozenset({Role.OFFICER, Role.APPROVER})


@dataclass(frozen=True, slots=True)
class Move:
    """`roles` may do `action`, which takes a request from `source` to `target`."""

    action: str
    source: str
    target: str
    roles: frozenset[str]


MOVES = (
    Move("create", NEW, PENDING, OFFICER),
    # The policy speaks; an officer asks it to.
    Move("decide", PENDING, APPROVED, OFFICER),
    Move("decide", PENDING, REFERRED, OFFICER),
    Move("decide", PENDING, REJECTED, OFFICER),
    # People speak.
    Move("refer", PENDING, REFERRED, OFFICER),
    Move("approve", REFERRED, APPROVED, DECIDERS),
    Move("decline", REFERRED, REJECTED, DECIDERS),
    Move("review", APPROVED, REFERRED, DECIDERS),
    Move("review", REJECTED, REFERRED, DECIDERS),
    # The applicant's side takes it back.
    Move("withdraw", PENDING, WITHDRAWN, OFFICER),
    Move("withdraw", REFERRED, WITHDRAWN, OFFICER),
    Move("withdraw", APPROVED, WITHDRAWN, OFFICER),
)


def find_move(action: str, source: str, target: str | None = None) -> Move | None:
    """The move of that action from `source`; the first of them where it may lead to several and none is named."""
    found = (move for move in MOVES if (move.action, move.source) == (action, source))
    return next((move for move in found if target in (None, move.target)), None)


def check_move(*, action: str, source: str, actor: User | None, target: str | None = None) -> Move:
    """The move of the table. No actor means the system itself (a command), which is not asked for a role."""
    move = find_move(action, source, target)
    if move is None:
        raise Conflict(
            Sentence("The request is {status}; to {action} it is not possible.", status=source, action=action)
        )
    if actor is not None and actor.role not in move.roles:
        raise NotPermitted(
            Sentence(
                "The role {role} may not {action} a request; {roles} may.",
                role=actor.role,
                action=action,
                roles=sorted(move.roles),
            )
        )
    return move


def check_undecided(status: str, what: str) -> None:
    if status not in UNDECIDED:
        raise Conflict(
            Sentence(
                "The request is {status}; {what} is possible only while it is pending or referred.",
                status=status,
                what=what,
            )
        )


def check_changeable(status: str) -> None:
    if status not in CHANGEABLE:
        raise Conflict(
            Sentence(
                "The request is {status}; amount, term and product change only while it is pending.", status=status
            )
        )


def stale(version: int) -> Conflict:
    return Conflict(
        Sentence(
            "The version {version} is no longer current: someone changed the record since it was read. Read it again.",
            version=version,
        )
    )


def check_version(*, stored: int, given: int) -> None:
    if stored != given:
        raise stale(given)
