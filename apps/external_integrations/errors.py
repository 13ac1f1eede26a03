"""What may go wrong with a source: a 503 of ours when nothing is stored for the key. None holds an identifier."""

from datetime import datetime

from apps.common.errors import SourceUnavailable


class SourceOff(SourceUnavailable):
    """The settings say that nobody is asked."""


class SourceWaits(SourceUnavailable):
    """Nobody is asked just now. `retry_at`: from when on a question may be tried."""

    def __init__(self, detail: str, retry_at: datetime) -> None:
        super().__init__(detail)
        self.retry_at = retry_at


class SourcePaused(SourceWaits):
    """The source failed several times in a row, or asked for a pause."""


class SourceBusy(SourceWaits):
    """The source has had as many questions as it allows for the time being."""


class SourceTimeout(SourceUnavailable):
    """No whole reply within the deadline."""


class SourceUnreachable(SourceUnavailable):
    """No connection, or it broke."""


class SourceFailed(SourceUnavailable):
    """The source answered with a 5xx."""


class SourceRefused(SourceUnavailable):
    """The source answered with a 4xx, or another status that its contract does not have."""


class RedirectRefused(SourceUnavailable):
    """The source pointed elsewhere; redirects are never followed."""


class HostNotAllowed(SourceUnavailable):
    """The configured address is not one of the allowed hosts, not over TLS, or leads where nobody is asked."""


class CredentialsUnusable(SourceUnavailable):
    """A PEM file that the settings name is missing or holds no certificate or key, or the API key fits no header."""


class ReplyTooLarge(SourceUnavailable):
    """The reply is larger than a record can be."""


class ReplyMalformed(SourceUnavailable):
    """The reply is not JSON, or not finite, or cut short."""


class ReplyNotAsAgreed(SourceUnavailable):
    """The reply is JSON, but not the record of the contract, or one of another identifier."""


class UnknownToSource(Exception):
    """The source answered that it has no such record. This is an answer, not a fault."""
