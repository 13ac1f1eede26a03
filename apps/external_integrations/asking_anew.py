"""Somebody wants a record fetched anew now, whatever its age."""

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import ERASED
from apps.common.days import lender_today
from apps.common.errors import DataErased
from apps.common.sentences import Sentence
from apps.external_integrations.clients import is_asked
from apps.external_integrations.consents import require_consent
from apps.external_integrations.derived import identifier_of
from apps.external_integrations.errors import SourceOff
from apps.external_integrations.keys import check_key
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.services import Clock, enqueue_refresh


@transaction.atomic
def ask_anew(*, record: ExternalRecord, actor: User, clock: Clock = timezone.now) -> None:
    """Queue the question; a worker asks the source. Raises DataErased, SourceOff, or ConsentMissing."""
    if record.data_key.destroyed_at is not None:
        raise DataErased(ERASED)
    if not is_asked(record.source):
        raise SourceOff(
            Sentence(
                "This installation does not ask {source}: {setting}_CLIENT is off.",
                source=record.source,
                setting=record.source.upper(),
            )
        )
    now = clock()
    require_consent(check_key(record.source, identifier_of(record), today=lender_today(now)), now=now)
    enqueue_refresh(record)
    record_event(actor=actor, action="external_record.ask", subject=record, details={"source": record.source})
