"""Policies drafted, published by a second person, and found again: which one was in force at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.days import lender_today
from apps.common.errors import Conflict, FieldProblem, InvalidInput, NotPermitted
from apps.common.sentences import Sentence
from apps.policies.documents import read_policy
from apps.policies.examples import Failure, run_examples
from apps.policies.findings import ERROR, Finding
from apps.policies.lint import lint
from apps.policies.models import DISCARDED, DRAFT, PUBLISHED, REGISTERED, SHIPPED, PolicyVersion
from apps.policies.policy import Policy, PolicyError
from apps.scoring_engine.ml.vocabulary import SEGMENTS

DEFAULTS = Path(__file__).parent / "defaults"
MOST_CHARACTERS = 200_000
WITH_THE_ENGINE = "shipped with the engine"


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be said of a policy before it is published. It may be, unless `problems` names something."""

    policy: Policy
    findings: list[Finding]
    failures: list[Failure]

    @property
    def problems(self) -> list[FieldProblem]:
        found = [FieldProblem(one.where, one.message) for one in self.findings if one.severity == ERROR]
        return found + [FieldProblem(f"examples: {one.title}", one.message) for one in self.failures]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity != ERROR]


def check_policy(text: str) -> Checked:
    """Read, looked through, its examples run. Raises InvalidInput for what is no policy, with where and why."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput.of(
            text=Sentence(
                "It has {given:,} characters; a policy has at most {most:,}.", given=len(text), most=MOST_CHARACTERS
            )
        )
    try:
        policy = read_policy(text)
    except PolicyError as error:
        raise _refused([FieldProblem(problem.where, problem.message) for problem in error.problems]) from None
    return Checked(policy, lint(policy), run_examples(policy))


def _refused(problems: list[FieldProblem]) -> InvalidInput:
    first = "; ".join(f"{problem.field}: {problem.message}" for problem in problems[:3])
    return InvalidInput(f"The policy cannot be published. {first}", problems)


@transaction.atomic
def draft_policy(*, text: str, actor: User, now: datetime) -> PolicyVersion:
    """A draft of a text without errors; warnings do not bar it. Raises InvalidInput, Conflict."""
    checked = check_policy(text)
    if checked.problems:
        raise _refused(checked.problems)
    policy = _store(checked.policy, origin=REGISTERED, made_by=actor, now=now)
    _record("draft", policy, actor)
    return policy


@transaction.atomic
def publish_policy(*, policy: PolicyVersion, comment: str, actor: User, now: datetime) -> PolicyVersion:
    """By a person other than the maker. It decides from its day on; one that is valid from today, at once.

    Raises NotPermitted, Conflict, InvalidInput; then nothing has changed.
    """
    held = _held_draft(policy)
    _check_second_person(held, actor)
    _check_comment(comment)
    problems = check_policy(held.text).problems
    if problems:
        raise _refused(problems)
    today = lender_today(now)
    if held.valid_from < today:
        why = Sentence(
            "It is valid from {valid_from}, which is past: today is {today}. Draft it anew with a later day.",
            valid_from=held.valid_from,
            today=today,
        )
        raise InvalidInput.of(valid_from=why)
    _publish(held, comment=comment, checked_by=actor, now=now)
    _record("publish", held, actor)
    return held


@transaction.atomic
def discard_policy(*, policy: PolicyVersion, comment: str, actor: User) -> PolicyVersion:
    """A draft that will not be published; its maker may do so too."""
    held = _held_draft(policy)
    _check_comment(comment)
    held.state, held.comment = DISCARDED, comment
    held.save(update_fields=["state", "comment"])
    _record("discard", held, actor)
    return held


@transaction.atomic
def register_shipped_policies(*, now: datetime) -> list[PolicyVersion]:
    """Publish the policies that SHIPPED_POLICIES names, for each segment that has no published one.

    A version that somebody drafted stays that person's: it waits for its second person.
    """
    return [
        policy
        for segment in SEGMENTS
        if not PolicyVersion.objects.filter(segment=segment, state=PUBLISHED).exists()
        for policy in _shipped(segment, now)
    ]


def _shipped(segment: str, now: datetime) -> Iterator[PolicyVersion]:
    for path in sorted(DEFAULTS.glob(f"{settings.SHIPPED_POLICIES}*.toml")):
        read = read_policy(path.read_text(encoding="utf-8"))
        if read.segment == segment and not _same_version(read).exists():
            policy = _store(read, origin=SHIPPED, made_by=None, now=now)
            _publish(policy, comment=WITH_THE_ENGINE, checked_by=None, now=now)
            _record("publish", policy, None)
            yield policy


def policy_in_force(segment: str, moment: datetime) -> PolicyVersion:
    """The policy that decided at `moment`, or will, by what is published now. Raises Conflict where there is none."""
    day = lender_today(moment)
    found = PolicyVersion.objects.in_force(segment, day, moment).first()
    if found is None:
        raise Conflict(
            Sentence(
                "No policy for the segment {segment} is in force on {day}; publish one first.", segment=segment, day=day
            )
        )
    return found


def policy_of(version: PolicyVersion) -> Policy:
    return read_policy(version.text)


def _same_version(read: Policy) -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(code=read.code, version=read.version).exclude(state=DISCARDED)


def _store(read: Policy, *, origin: str, made_by: User | None, now: datetime) -> PolicyVersion:
    known = Conflict(
        Sentence(
            "{policy} {version} is there already; give a changed policy another version.",
            policy=read.code,
            version=read.version,
        )
    )
    if _same_version(read).exists():
        raise known
    try:
        with transaction.atomic():
            return PolicyVersion.objects.create(
                code=read.code,
                version=read.version,
                segment=read.segment,
                valid_from=read.valid_from,
                digest=read.digest,
                text=read.text,
                origin=origin,
                made_by=made_by,
                created_at=now,
            )
    except IntegrityError:
        # Another process was a moment earlier.
        raise known from None


def _publish(held: PolicyVersion, *, comment: str, checked_by: User | None, now: datetime) -> None:
    held.state, held.comment, held.checked_by = PUBLISHED, comment, checked_by
    held.published_at = _after_the_last(held.segment, now)
    held.save(update_fields=["state", "comment", "checked_by", "published_at"])


def _after_the_last(segment: str, now: datetime) -> datetime:
    """Two published in one microsecond would leave open which of them decides."""
    published = PolicyVersion.objects.filter(segment=segment, state=PUBLISHED)
    last = published.order_by("-published_at").values_list("published_at", flat=True).first()
    return now if last is None else max(now, last + timedelta(microseconds=1))


def _held_draft(policy: PolicyVersion) -> PolicyVersion:
    """Held with all drafts of its segment: whoever publishes one of them at this moment waits, and sees the outcome."""
    drafts = PolicyVersion.objects.select_for_update().filter(segment=policy.segment, state=DRAFT).order_by("id")
    list(drafts.values_list("id", flat=True))
    held = PolicyVersion.objects.get(id=policy.id)
    if held.state != DRAFT:
        raise Conflict(
            Sentence(
                "{held} is {policy_state}; only a draft can be published or discarded.",
                held=str(held),
                policy_state=held.state,
            )
        )
    return held


def _check_second_person(held: PolicyVersion, actor: User) -> None:
    if actor.id == held.made_by_id:
        raise NotPermitted(
            Sentence(
                "{username} drafted {held}; somebody else has to publish it.", username=actor.username, held=str(held)
            )
        )
    if actor.kind != User.Kind.PERSON:
        raise NotPermitted(Sentence("A service account is no second pair of eyes; a person has to publish a policy."))


def _check_comment(comment: str) -> None:
    if not comment.strip():
        raise InvalidInput.of(comment=Sentence("Say why; the record keeps it."))


def _record(action: str, policy: PolicyVersion, actor: User | None) -> None:
    details = {
        "policy": str(policy),
        "segment": policy.segment,
        "digest": policy.digest,
        "valid_from": policy.valid_from.isoformat(),
    }
    record_event(actor=actor, action=f"policy.{action}", subject=policy, details=details)
