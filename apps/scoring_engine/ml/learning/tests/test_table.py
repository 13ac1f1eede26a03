"""A table in any shape and types reads as the same facts."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.scoring_engine.ml.learning.cells import Columns, literals, text_of
from apps.scoring_engine.ml.learning.doubles import count_copies
from apps.scoring_engine.ml.learning.errors import TableError
from apps.scoring_engine.ml.learning.facts import facts_of
from apps.scoring_engine.ml.learning.files import read_file
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written

NAN = float("nan")


def column(values, kind=None):
    return Columns(pa.table({"x": pa.array(values, kind)}))


NUMBERS = {
    "ints": ([1, None, 3], pa.int16(), [1, NAN, 3]),
    "floats": ([1.5, NAN, None], pa.float32(), [1.5, NAN, NAN]),
    "bools": ([True, False, None], None, [1, 0, NAN]),
    "decimals": ([Decimal("1.25"), None, Decimal("-7.00")], pa.decimal128(9, 2), [1.25, NAN, -7]),
    "texts": ([" 12 ", "", "1e3", "+5", "-0.5"], None, [12, NAN, 1000, 5, -0.5]),
    "dictionary": (pa.array(["7", "8", None, "7"]).dictionary_encode(), None, [7, 8, NAN, 7]),
    "large texts": (["7", " "], pa.large_string(), [7, NAN]),
    "nothing": ([None, None], pa.null(), [NAN, NAN]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_any_type(name):
    values, kind, expected = NUMBERS[name]
    assert np.array_equal(column(values, kind).numbers("x"), expected, equal_nan=True)


@pytest.mark.parametrize("values", [["0x10"], ["1_000"], [dt.date(2020, 1, 1)], ["1 200"], ["１２a"]])
def test_what_is_no_number_is_refused(values):
    with pytest.raises(TableError, match=r"row 1: .* is not a finite number"):
        column(values).numbers("x")


def test_nested_cells_are_refused():
    with pytest.raises(TableError, match=r"Column 'x' holds list<.*> values, which are neither"):
        column([[1, 2]]).numbers("x")


TEXTS = {
    "ints": ([1, None], None, ["1", ""]),
    "whole floats": ([1.0, 2.5, NAN], None, ["1", "2.5", ""]),
    "bools": ([True, None, False], None, ["true", "", "false"]),
    "decimals": ([Decimal("1.00"), Decimal("1.50")], None, ["1", "1.50"]),
    "texts": ([" a ", "a", "", None], None, ["a", "a", "", ""]),
    "days": ([dt.date(2020, 5, 1), dt.date(2021, 1, 1)], None, ["2020-05-01", "2021-01-01"]),
    "midnights": ([dt.datetime(2020, 5, 1), dt.datetime(2020, 5, 1, 9)], None, ["2020-05-01", "2020-05-01 09:00:00"]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_any_type(name):
    values, kind, expected = TEXTS[name]
    assert column(values, kind).texts("x").values().tolist() == expected


DAYS = {
    "days": ([dt.date(2020, 5, 1), None], None, ["2020-05-01", "NaT"]),
    "timestamps": ([dt.datetime(2020, 5, 1, 23, 59)], pa.timestamp("ns"), ["2020-05-01"]),
    "years": ([2011, 1999], None, ["2011-01-01", "1999-01-01"]),
    "years as floats": ([2011.0, NAN], None, ["2011-01-01", "NaT"]),
    "texts": (
        ["2011-12-31", "31.12.2011", "2011-12", "20111231", "2011-12-31T10:00:00", ""],
        None,
        ["2011-12-31", "2011-12-31", "2011-12-01", "2011-12-31", "2011-12-31", "NaT"],
    ),
}


@pytest.mark.parametrize("name", DAYS)
def test_days_of_any_type(name):
    values, kind, expected = DAYS[name]
    assert column(values, kind).days("x").astype(str).tolist() == expected


def test_days_are_read_as_the_recipe_says_they_are_written():
    columns = Columns(pa.table({"x": ["12/31/2011", ""]}), date_format="%m/%d/%Y")
    assert columns.days("x").astype(str).tolist() == ["2011-12-31", "NaT"]
    with pytest.raises(TableError, match="row 1: '12/31/2011' is not a day"):
        column(["12/31/2011"]).days("x")


def test_rows_of_a_part_are_named_by_their_place_in_the_file():
    part = column(["1", "2", "x", "4"]).at(np.array([1, 2, 3])).at(np.array([1, 2]))
    with pytest.raises(TableError, match="row 3: 'x' is not"):
        part.numbers("x")


def test_a_value_has_one_text_whatever_its_type():
    assert [text_of(v) for v in (1, 1.0, Decimal("1.0"), "1.0 ", True, None, NAN)] == ["1"] * 4 + ["true", None, None]
    assert literals([True, 2.0, ""]) == {"true", "True", "TRUE", "2", ""}


@pytest.mark.parametrize(("sign", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "utf-8")])
def test_separators_and_encodings_are_found(tmp_path, sign, encoding):
    recipe, data = written(tmp_path, loans(40), recipe_text())
    loans(40).assign(note='say "a, b; c"').to_csv(data, index=False, sep=sign, encoding=encoding)
    columns = read_tables(load_recipe(recipe), data, {}).columns
    assert columns.numbers("amount").tolist() == loans(40)["amount"].tolist()


def test_the_name_of_a_column_may_hold_signs_and_line_ends(tmp_path):
    text = '\n"Доход;\nсум";"a""g"\n1;"2\n3"\n'
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert read_file(tmp_path / "x.csv").to_pydict() == {"Доход;\nсум": ["1"], 'a"g': ["2\n3"]}


def test_encoding_and_decimal_comma_are_stated_in_the_recipe(tmp_path):
    text = recipe_text().replace('column = "income"', 'column = "Доход"')
    head = 'encoding = "cp1251"\ndecimal = ","\n'
    recipe, data = written(tmp_path, loans(40), head + text)
    table = loans(40).rename(columns={"income": "Доход"})
    table.to_csv(data, index=False, sep=";", decimal=",", encoding="cp1251")
    columns = read_tables(load_recipe(recipe), data, {}).columns
    assert columns.numbers("utilisation").tolist() == table["utilisation"].tolist()
    assert columns.numbers("Доход").tolist() == table["Доход"].tolist()
    recipe.write_text(text)
    with pytest.raises(TableError, match='is not UTF-8 text: say encoding = "cp1251"'):
        read_tables(load_recipe(recipe), data, {})


def test_parquet_and_csv_give_the_same_facts(tmp_path):
    recipe, _ = written(tmp_path, table := loans(200), recipe_text(fico=True))
    table["purpose"] = table["purpose"].astype("category")
    table["income"], table["inquiries"] = table["income"].astype("int64"), table["inquiries"].astype("int8")
    pq.write_table(pa.Table.from_pandas(table), tmp_path / "loans.parquet")
    recipe = load_recipe(recipe)
    texts, typed = (
        facts_of(recipe, read_tables(recipe, tmp_path / f"loans.{suffix}", {}).columns) for suffix in ("csv", "parquet")
    )
    for name in texts[0]:
        assert texts[0][name].tolist() == pytest.approx(typed[0][name].tolist(), nan_ok=True)
        assert texts[1][name].tolist() == typed[1][name].tolist()


def facts(folder, lines, values):
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe_text() + f'\n[[inputs]]\ncolumn = "x"\n{lines}\n')
    rule = load_recipe(recipe)
    found, states, codes = facts_of(rule_only(rule), column(values))
    return found["x"].tolist(), states["x"].tolist(), codes["x"]


def rule_only(recipe):
    object.__setattr__(recipe, "inputs", recipe.inputs[-1:])
    return recipe


CODES = 'kind = "number"\nleast = 0\nspecial_codes = { "-1" = "none", "99" = "not stated" }\n'
STATES = {
    "codes": (CODES, ["5", "-1", "99", ""], [5, NAN, NAN, NAN], [KNOWN, SPECIAL, SPECIAL + 1, MISSING]),
    "empty is a code": (CODES + 'empty_is = "99"', ["5", "", "99"], [5, NAN, NAN], [KNOWN, SPECIAL + 1, SPECIAL + 1]),
    "empty is unavailable": (CODES + 'empty_is = "unavailable"', ["5", ""], [5, NAN], [KNOWN, UNAVAILABLE]),
    "texts that mean empty": (CODES + 'missing = ["NA", "-1"]', ["NA", "-1", "5"], [NAN, NAN, 5], [MISSING] * 2 + [0]),
    "codes come before scaling": (CODES + "divide_by = 10", [50, 99], [5, NAN], [KNOWN, SPECIAL + 1]),
    "texts for numbers": (
        'kind = "integer"\nvalues = { "36 months" = 36, "none" = "0" }',
        ["36 months", "none", "7"],
        [36, 0, 7],
        [KNOWN] * 3,
    ),
    "categories": ('kind = "category"\nvalues = { a = "b" }', ["a", "b", "", "c"], ["b", "b", None, "c"], [0, 0, 1, 0]),
    "numbers as categories": ('kind = "category"', [1.0, 2.0, NAN], ["1", "2", None], [0, 0, 1]),
    "empty is a category": ('kind = "category"\nempty_is = "none"', ["a", ""], ["a", "none"], [0, 0]),
    "flags": ('kind = "flag"', ["yes", "No", "1", "ДА", ""], [True, False, True, True, None], [0, 0, 0, 0, 1]),
    "true and false": ('kind = "flag"\nempty_is = "false"', [True, False, None], [True, False, False], [0, 0, 0]),
    "flags by values": ('kind = "flag"\nvalues = { A = true, B = "false" }', ["A", "B"], [True, False], [0, 0]),
    "days": ('kind = "date"\nempty_is = "unavailable"', ["", ""], [None, None], [UNAVAILABLE] * 2),
}


@pytest.mark.parametrize("name", STATES)
def test_what_has_no_value_has_a_state(tmp_path, name):
    lines, values, expected, states = STATES[name]
    found, found_states, _ = facts(tmp_path, lines, values)
    assert found == (pytest.approx(expected, nan_ok=True) if 'kind = "number"' in lines else expected)
    assert found_states == states


def test_copies_are_counted_and_held_against_chance():
    same = pa.table({"a": [1, 1, 2, 1], "b": ["x", "x", "x", None]})
    pairs, chance = count_copies(Columns(same))
    assert pairs.tolist() == [[0, 1]]
    assert chance == pytest.approx(4 * 4 / 2 * (9 / 16 + 1 / 16) * (9 / 16 + 1 / 16))


def test_copies_in_a_table_of_coarse_columns_are_only_warned_of(tmp_path):
    """600 applicants in 12 equal classes must repeat; that proves no mistake."""
    table = loans(600).assign(income=1000, amount=100, utilisation=50, issued=lambda t: t["issued"].str[:4])
    recipe, data = written(tmp_path, table, recipe_text())
    (warning,) = read_tables(load_recipe(recipe), data, {}).warnings
    assert "are equal to an earlier one in every column that the recipe reads" in warning


@pytest.mark.parametrize("setting", ['duplicates = "allow"\n', 'id = "n"\n'])
def test_true_copies_can_be_allowed(tmp_path, setting):
    table = loans(600)
    table = table.loc[[*range(600), *range(20)]].assign(n=range(620))
    recipe, data = written(tmp_path, table, setting + recipe_text())
    warnings = read_tables(load_recipe(recipe), data, {}).warnings
    assert [w[:8] for w in warnings] == (["20 rows "] if "allow" in setting else [])
