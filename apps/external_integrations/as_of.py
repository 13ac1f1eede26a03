"""Which version of a record held at a moment: now by the row itself, earlier by what was noted with each answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.audit.models import AuditEvent
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion, Origin
from apps.external_integrations.reading import fresh_days, usable_version

FETCHED = "external_record.fetch"


@dataclass(frozen=True, slots=True)
class Held:
    """What was known of a record. `observed_at`: the source's time of its newest observation, which may be later than
    the version's when the source has confirmed it since; `checked_at`: when the source last answered.
    """

    record: ExternalRecord
    version: ExternalRecordVersion
    observed_at: datetime
    checked_at: datetime

    @property
    def is_mock(self) -> bool:
        return self.version.origin == Origin.MOCK

    def age_days(self, now: datetime) -> int:
        return max((now - self.observed_at).days, 0)

    def is_stale(self, now: datetime, days: int | None = None) -> bool:
        """By `days`, or by the source's own limit."""
        limit = fresh_days(self.record.source) if days is None else days
        return self.checked_at < now - timedelta(days=limit)


def held_now(record: ExternalRecord) -> Held | None:
    version = usable_version(record)
    return version and Held(record, version, record.observed_at, record.checked_at)


def held_at(record: ExternalRecord, moment: datetime) -> Held | None:
    """By the last answer up to then. Which client is configured today does not count: what held then, held."""
    for checked_at, told in _answers(record):
        if checked_at <= moment:
            version = _versions(record, [told["version"]])[0]
            return Held(record, version, datetime.fromisoformat(told["observed_at"]), checked_at)
    return _newest_fetched(record, moment)


def _answers(record: ExternalRecord) -> Iterator[tuple[datetime, dict[str, str]]]:
    """The newest first. Answers that came before the trail named their version are left out."""
    events = AuditEvent.objects.filter(subject_type=record._meta.label, subject_id=str(record.id), action=FETCHED)
    for told in events.order_by("-id").values_list("details", flat=True).iterator():
        if "version" in told:
            yield datetime.fromisoformat(told["checked_at"]), told


def _versions(record: ExternalRecord, ids: list[str]) -> list[ExternalRecordVersion]:
    return list(record.versions.select_related("data_key").filter(id__in=ids))


def _newest_fetched(record: ExternalRecord, moment: datetime) -> Held | None:
    """Where the trail says nothing: the newest observation among the versions fetched by then, a true one before any
    invented one.
    """
    known = record.versions.select_related("data_key").filter(fetched_at__lte=moment)
    newest = max(known, key=lambda each: (each.origin == Origin.HTTP, each.observed_at, each.fetched_at), default=None)
    return newest and Held(record, newest, newest.observed_at, newest.fetched_at)
