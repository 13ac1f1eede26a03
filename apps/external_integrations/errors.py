"""What may go wrong with a source: a 503 of ours when nothing is stored for the key. None holds an identifier."""

from apps.common.errors import SourceUnavailable


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
    """The configured address is not one of the allowed hosts, or not over TLS."""


class ReplyTooLarge(SourceUnavailable):
    """The reply is larger than a record can be."""


class ReplyMalformed(SourceUnavailable):
    """The reply is not JSON, or not finite, or cut short."""


class ReplyNotAsAgreed(SourceUnavailable):
    """The reply is JSON, but not the record of the contract, or one of another identifier."""


class UnknownToSource(Exception):
    """The source answered that it has no such record. This is an answer, not a fault."""
