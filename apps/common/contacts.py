"""Serializer fields for names, phones, identifiers and guarantors, shared by people and companies."""

from datetime import date
from typing import Any

import phonenumbers
from rest_framework import serializers

from apps.common.days import lender_today
from apps.common.fields import UNKNOWN, ShortList, StrictSerializer, StrictText
from apps.common.identifiers import (
    IdentifierError,
    check_inn,
    check_inn_or_pinfl,
    check_parcel,
    check_pinfl,
    identifier_sentence,
)

PHONE_REGION = "UZ"
MOST_PARCELS = 20


class NameField(StrictText):
    """1 to 200 printable characters, at least one of them a letter of any script."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not name.isprintable() or not any(character.isalpha() for character in name):
            raise serializers.ValidationError("Allowed is a name in letters, on one line.")
        return name


class PhoneField(StrictText):
    """A phone number, of Uzbekistan unless it starts with +; kept as E.164."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            number = phonenumbers.parse(super().to_internal_value(data), PHONE_REGION)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_valid_number(number):
            raise serializers.ValidationError("Allowed is a phone number in use, like +998 90 123 45 67.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class PinflField(StrictText):
    def to_internal_value(self, data: Any) -> str:
        pinfl = super().to_internal_value(data)
        try:
            check_pinfl(pinfl, today=lender_today())
        except IdentifierError as error:
            raise serializers.ValidationError(str(error)) from None
        return pinfl


class InnField(StrictText):
    """9 digits; with `or_pinfl` also the PINFL of a person, who has had no INN of their own since 2021."""

    def __init__(self, *, or_pinfl: bool = False, **options: Any) -> None:
        self.or_pinfl = or_pinfl
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        inn = super().to_internal_value(data)
        try:
            if self.or_pinfl:
                check_inn_or_pinfl(inn, today=lender_today())
            else:
                check_inn(inn)
        except IdentifierError as error:
            raise serializers.ValidationError(str(error)) from None
        return inn


class ParcelField(StrictText):
    def to_internal_value(self, data: Any) -> str:
        parcel = super().to_internal_value(data)
        try:
            check_parcel(parcel)
        except IdentifierError as error:
            raise serializers.ValidationError(str(error)) from None
        return parcel


class ParcelsField(ShortList):
    """Up to 20 parcel ids, each once."""

    child = ParcelField()

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_PARCELS, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        parcels = super().to_internal_value(data)
        if len(set(parcels)) < len(parcels):
            raise serializers.ValidationError(identifier_sentence("parcel_twice"))
        return parcels


class GuarantorSerializer(StrictSerializer):
    name = NameField()
    inn = InnField(or_pinfl=True, help_text="INN (9 digits) or PINFL (14 digits)")
    phone = PhoneField(**UNKNOWN)


class FieldWarningSerializer(serializers.Serializer):
    """Something unusual that was accepted."""

    field = serializers.CharField()
    message = serializers.CharField()


def refuse_future(day: date, today: date) -> date:
    """For a day that has to be over or today; refuses 1899 and before, too."""
    if day > today:
        raise serializers.ValidationError("The day lies in the future; allowed is today or earlier.")
    if day.year < 1900:
        raise serializers.ValidationError("The day is too long ago; allowed is 1900-01-01 or later.")
    return day
