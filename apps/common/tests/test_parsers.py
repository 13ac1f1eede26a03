"""JSON bodies: what is read, and how each thing that cannot be held is named."""

import io
import tracemalloc

import pytest

from apps.common.errors import FieldProblem, InvalidInput, TooLarge
from apps.common.parsers import StrictJSONParser, parse_json, read_bounded


def refused(body: bytes) -> list[FieldProblem]:
    with pytest.raises(InvalidInput) as caught:
        parse_json(body)
    return caught.value.errors


def fields_refused(body: bytes) -> dict[str, str]:
    return {problem.field: problem.message for problem in refused(body)}


def test_a_document_is_read_as_it_stands():
    body = '{"a": [1, 2.5, true, null, "Оʻзбек"], "b": {"c": -0.0}}'.encode()
    assert parse_json(body) == {"a": [1, 2.5, True, None, "Оʻзбек"], "b": {"c": 0.0}}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_not_json_are_named(number):
    assert fields_refused(f'{{"debts": [1, {number}]}}'.encode()) == {
        "debts[1]": f"{number} is not a JSON number; give a finite number or leave the field out"
    }


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_floats_is_named(number):
    assert list(fields_refused(f'{{"income": {{"amount": {number}}}}}'.encode())) == ["income.amount"]


def test_an_integer_of_40_digits_is_read_and_one_of_41_is_named():
    assert parse_json(b'{"a": ' + b"9" * 40 + b"}") == {"a": int("9" * 40)}
    assert fields_refused(b'{"a": ' + b"9" * 41 + b"}") == {"a": "the number has 41 digits; at most 40 are read"}


def test_ten_thousand_digits_are_refused_before_they_are_computed():
    assert list(fields_refused(b'{"a": ' + b"9" * 10_000 + b"}")) == ["a"]


def test_a_key_given_twice_is_named_at_its_depth():
    assert fields_refused(b'{"a": [{"b": 1, "b": 1}]}') == {"a[0].b": "the key is given twice; give it once"}


def test_text_that_cannot_be_stored_is_named():
    problems = fields_refused(b'{"a": "x\\u0000", "b": "\\ud800", "c\\u0000": 1}')
    assert list(problems) == ["(body)", "a", "b"]
    assert problems["a"] == "the text holds a NUL character; remove it"


@pytest.mark.parametrize(
    "body", [b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000 + b"1" + b"}" * 200_000, b"[" * 200_000]
)
def test_200000_levels_are_refused(body):
    with pytest.raises(InvalidInput, match="nested too deeply"):
        parse_json(body)


def test_broken_json_is_refused_with_its_place():
    with pytest.raises(InvalidInput, match="line 2, column 6"):
        parse_json(b'{"a": 1,\n "b" 2}')


def test_another_encoding_is_refused():
    with pytest.raises(InvalidInput, match="not UTF-8"):
        parse_json('{"a": "Привет"}'.encode("cp1251"))


def test_a_body_may_be_as_large_as_the_bound_and_no_larger():
    assert read_bounded(io.BytesIO(b"12345"), 5) == b"12345"
    with pytest.raises(TooLarge, match="larger than 5 bytes"):
        read_bounded(io.BytesIO(b"123456"), 5)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"a"', b"null"])
def test_only_an_object_is_a_body(body):
    with pytest.raises(InvalidInput, match="must be a JSON object"):
        StrictJSONParser().parse(io.BytesIO(body))


def test_no_body_is_an_empty_object():
    assert StrictJSONParser().parse(io.BytesIO(b" \n")) == {}


def test_a_long_name_over_many_items_costs_no_more_than_the_body():
    """Paths are built for what is refused only: this body of 800 kB once took hundreds of gigabytes."""
    body = b'{"' + b"k" * 400_000 + b'": [' + b",".join([b"1"] * 200_000) + b"]}"
    tracemalloc.start()
    try:
        parse_json(body)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 100_000_000


def test_the_first_fifty_refusals_are_named_and_long_names_are_cut():
    problems = refused(b'{"' + b"k" * 100_000 + b'": [' + b",".join([b"NaN"] * 100_000) + b"]}")
    assert len(problems) == 50
    assert problems[0].field == "k" * 57 + "...[0]"
