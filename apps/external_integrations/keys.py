"""What may be looked up where: identifiers checked once, and the blind indexes that find them."""

from dataclasses import dataclass, field
from datetime import date

from apps.common.crypto import blind_index
from apps.common.errors import InvalidInput
from apps.common.identifiers import check_inn, check_parcel, check_pinfl, inn_warnings, parcel_warnings
from apps.external_integrations.models import Source


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

    def warnings(self) -> list[str]:
        """What is unusual in the identifier, though accepted."""
        if self.owner_kind == "company":
            return inn_warnings(self.identifier)
        return parcel_warnings(self.identifier) if self.owner_kind == "parcel" else []


def check_key(source: str, identifier: str, *, today: date, field_name: str = "identifier") -> Key:
    """Raises InvalidInput naming `field_name`; its message does not repeat the identifier."""
    try:
        return Key(source, _owner_kind(source, identifier, today), identifier)
    except ValueError as error:
        raise InvalidInput.of(**{field_name: str(error)}) from None


def _owner_kind(source: str, identifier: str, today: date) -> str:
    if source == Source.KADASTR:
        check_parcel(identifier)
        return "parcel"
    if len(identifier) == 14:
        check_pinfl(identifier, today=today)
        return "person"
    if len(identifier) != 9:
        raise ValueError(f"An INN has exactly 9 digits, a PINFL exactly 14; {len(identifier)} characters were given.")
    check_inn(identifier)
    return "company"
