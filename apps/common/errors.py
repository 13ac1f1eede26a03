"""Refusals of the domain. A service raises one; `apps.common.api.problem_handler` renders it, in one place."""

from dataclasses import dataclass, field
from http import HTTPStatus

# A refusal names so many fields at most: a body of 1 MiB can hold a hundred thousand mistakes.
MOST_PROBLEMS = 50


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field: `message` says what was given, what is allowed and what to do."""

    field: str
    message: str


@dataclass
class DomainError(Exception):
    """Base of every refusal. `code` is the stable end of the problem's `type`."""

    detail: str
    errors: list[FieldProblem] = field(default_factory=list)

    status = HTTPStatus.BAD_REQUEST
    code = "invalid-input"
    title = "The request cannot be accepted as it is"

    def __str__(self) -> str:
        return self.detail


class InvalidInput(DomainError):
    """400: something given is wrong. `errors` names the fields."""

    @classmethod
    def of(cls, **messages: str) -> "InvalidInput":
        """`InvalidInput.of(currency="...")`: one message per field."""
        problems = [FieldProblem(name, message) for name, message in messages.items()]
        return cls("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems)


class NotSignedIn(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    code = "not-signed-in"
    title = "Sign in first"


class NotPermitted(DomainError):
    status = HTTPStatus.FORBIDDEN
    code = "not-permitted"
    title = "Your role does not allow this"


class NotFound(DomainError):
    status = HTTPStatus.NOT_FOUND
    code = "not-found"
    title = "There is no such record, or it is not yours to see"


class Conflict(DomainError):
    """409: the record is no longer as the caller saw it, or another one stands in the way."""

    status = HTTPStatus.CONFLICT
    code = "conflict"
    title = "The request conflicts with what is stored"


class DataErased(DomainError):
    """410: the person's key was destroyed; what it sealed is gone for good."""

    status = HTTPStatus.GONE
    code = "data-erased"
    title = "The personal data were erased"


class ConsentMissing(DomainError):
    """409: the person has not allowed this source to be asked, or no longer. Nothing was asked."""

    status = HTTPStatus.CONFLICT
    code = "consent-required"
    title = "A consent of the person is needed first"


class TooLarge(DomainError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too-large"
    title = "The body is too large"


class KeyReused(DomainError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used with another body"


class SourceUnavailable(DomainError):
    """503: an external source did not answer and nothing is stored for the key."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "source-unavailable"
    title = "The external source is not available"


class KeyMissing(DomainError):
    """503: a data key is wrapped by a key that ENCRYPTION_KEYS does not have (any more)."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "key-missing"
    title = "A key of this installation is missing"


class CacheUnreachable(DomainError):
    """503: the cache that the processes share, Redis, does not answer: nobody can be counted or left alone."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "cache-unreachable"
    title = "A part of this installation does not answer"
