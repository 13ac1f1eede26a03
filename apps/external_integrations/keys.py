"""What may be looked up where: identifiers checked once, and the blind indexes that find them."""

from dataclasses import dataclass, field
from datetime import date

from apps.common.crypto import blind_index
from apps.common.errors import InvalidInput
from apps.common.identifiers import IdentifierError, inn_warnings, parcel_warnings
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import COMPANY, PARCEL, PERSON


@dataclass(frozen=True, slots=True)
class Key:
    """A checked identifier of a source. `owner_kind`: whose data key seals what is known of it."""

    source: str
    owner_kind: str
    identifier: str = field(repr=False)

    @property
    def index(self) -> str:
        return blind_index(self.source, self.identifier)

    @property
    def owner_index(self) -> str:
        return blind_index(self.owner_kind, self.identifier)

    @property
    def needs_consent(self) -> bool:
        return self.owner_kind == PERSON and SOURCES[self.source].asks_consent

    def warnings(self) -> list[str]:
        """What is unusual in the identifier, though accepted."""
        if self.owner_kind == COMPANY:
            return inn_warnings(self.identifier)
        return parcel_warnings(self.identifier) if self.owner_kind == PARCEL else []


def check_key(source: str, identifier: str, *, today: date, field_name: str = "identifier") -> Key:
    """Raises InvalidInput naming `field_name`; its message does not repeat the identifier."""
    try:
        return Key(source, SOURCES[source].check(identifier, today), identifier)
    except IdentifierError as error:
        raise InvalidInput.of(**{field_name: str(error)}) from None
