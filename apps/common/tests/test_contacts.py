import pytest
from rest_framework.serializers import ValidationError

from apps.common.contacts import InnField, NameField, ParcelsField, PhoneField, PinflField


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("90 123 45 67", "+998901234567"),
        ("+998 (90) 123-45-67", "+998901234567"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_phone_is_kept_as_e164(given, kept):
    assert PhoneField().run_validation(given) == kept


@pytest.mark.parametrize("given", ["", "12", "abc", "+000", "+998 00 000 00 00", 998901234567, None, ["90 123 45 67"]])
def test_what_is_no_phone_is_refused(given):
    with pytest.raises(ValidationError):
        PhoneField().run_validation(given)


@pytest.mark.parametrize("name", ["Oʻzbek Gʻani", "O‘ktam", "Жўрабек", "李", " A "])
def test_a_name_in_any_script_is_kept_without_outer_spaces(name):
    assert NameField().run_validation(name) == name.strip()


@pytest.mark.parametrize("name", ["", "   ", "123", "-", "A\nB", "A\u202eB", "x" * 201, 5, True, None])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValidationError):
        NameField().run_validation(name)


def test_a_guarantor_has_an_inn_or_a_valid_pinfl():
    field = InnField(or_pinfl=True)
    assert [field.run_validation(text) for text in ("123456789", "31210632040244")] == ["123456789", "31210632040244"]
    with pytest.raises(ValidationError, match="The last digit of the PINFL"):
        field.run_validation("31210632040245")
    with pytest.raises(ValidationError, match="An INN \\(STIR\\) has exactly 9 digits; 14 characters"):
        InnField().run_validation("31210632040244")


def test_a_pinfl_is_text():
    with pytest.raises(ValidationError, match="allowed is text"):
        PinflField().run_validation(31210632040244)


def test_parcels_are_bounded_and_each_given_once():
    assert ParcelsField().run_validation(["a/1", "a/2"]) == ["a/1", "a/2"]
    for given in (["a/1", "a/1"], [f"a/{n}" for n in range(21)], "a/1", {"a": 1}, ["a b"], [5]):
        with pytest.raises(ValidationError):
            ParcelsField().run_validation(given)
