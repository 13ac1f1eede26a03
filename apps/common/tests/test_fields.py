"""Fields that take a value as it is or refuse it, briefly, and without repeating what may be an identifier."""

from uuid import UUID

import pytest
from rest_framework import serializers

from apps.common.fields import IdField, ShortList, StrictInteger, StrictSerializer, StrictText


class NoteSerializer(StrictSerializer):
    pinfl = StrictText(required=False)
    years = ShortList(child=StrictInteger(min_value=1, max_value=9), max_length=3, required=False)


def refused(body: dict) -> dict:
    given = NoteSerializer(data=body)
    assert not given.is_valid()
    return given.errors


@pytest.mark.parametrize(
    ("value", "shown"), [(31210632040244, "a number"), (1.5, "a number"), (True, "a flag"), ([1], "a list")]
)
def test_what_should_be_text_is_not_repeated(value, shown):
    assert refused({"pinfl": value}) == {"pinfl": [f"{shown} was given; allowed is text."]}


def test_a_list_is_counted_before_its_items_are_read():
    """Half a million items of a body would otherwise be refused one by one."""
    assert refused({"years": ["no number"] * 4}) == {"years": ["4 items were given; allowed are at most 3."]}
    assert refused({"years": [1, "2"]}) == {"years": {1: ['"2" was given; allowed is a whole number from 1 to 9.']}}
    assert NoteSerializer(data={"years": [1, 2, 3]}).is_valid()


def test_unknown_fields_are_named_up_to_a_number():
    assert len(refused({f"unknown_{number}": 1 for number in range(1_000)})) == 50


def test_a_list_needs_its_most():
    with pytest.raises(TypeError):
        ShortList(child=serializers.CharField())


@pytest.mark.parametrize(("value", "shown"), [(5, "5"), (True, "true"), ([5], "a list")])
def test_an_id_is_text(value, shown):
    with pytest.raises(serializers.ValidationError, match=f"{shown} was given; allowed is an id as text"):
        IdField().run_validation(value)
    assert IdField().run_validation(str(UUID(int=5))) == UUID(int=5)
