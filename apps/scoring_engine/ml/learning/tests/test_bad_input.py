"""Whatever is wrong with a table: one sentence that names column and row."""

import pandas as pd
import pytest

from apps.scoring_engine.ml.learning.errors import TableError, TrainingError
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.sampling import draw_sample
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written

EXTRA = """
[[extras]]
name = "bureau"
keys = ["id"]
columns = ["fico"]
note = "by the number of the loan"

"""


def refusal(folder, table, text):
    recipe, data = written(folder, table, text)
    with pytest.raises(TrainingError) as refused:
        draw_sample(loaded := load_recipe(recipe), read_tables(loaded, data, {}))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def put(column, row, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


def doubled(table):
    return pd.concat([table, table.iloc[10:30]], ignore_index=True)


TABLES = {
    "absent column": (lambda t: t.drop(columns=["inquiries"]), "The table loans.csv has no column 'inquiries'."),
    "misspelt column": (
        lambda t: t.rename(columns={"inquiries": "Inquiry"}),
        "The table loans.csv has no column 'inquiries' (did you mean 'Inquiry'?).",
    ),
    "word for a number": (put("amount", 4, "abc"), "Column 'amount', row 5: 'abc' is not a finite number."),
    "mixed types": (
        lambda t: put("amount", 4, "abc")(put("amount", 8, "x")(t)),
        "Column 'amount', row 5: 'abc' is not a finite number (2 such rows).",
    ),
    "infinity": (put("utilisation", 0, "inf"), "Column 'utilisation', row 1: 'inf' is not a finite number."),
    "beyond any float": (put("utilisation", 0, "1e999"), "Column 'utilisation', row 1: '1e999' is not a finite number"),
    "half a count": (
        put("inquiries", 1, "1.5"),
        "Column 'inquiries', row 2: '1.5' is not a whole number; write kind = \"number\" if it may have decimals.",
    ),
    "separator of thousands": (
        put("amount", 2, "1,200"),
        "Column 'amount', row 3: '1,200' is not a finite number; write numbers without separators of thousands;"
        ' decimals after a comma need decimal = ",".',
    ),
    "unit in the cell": (
        put("inquiries", 2, "36 months"),
        "Column 'inquiries', row 3: '36 months' is not a finite number; map such texts to numbers with values =",
    ),
    "word for nothing": (
        put("amount", 2, "NA"),
        "Column 'amount', row 3: 'NA' is not a finite number; if it means empty, write missing = [\"NA\"] at",
    ),
    "negative income": (put("income", 2, "-5"), "Column 'income', row 3: '-5' gives a yearly_income outside"),
    "unknown purpose": (put("purpose", 9, "yacht"), "Column 'purpose', row 10: 'yacht' is not a known purpose;"),
    "no outcome": (put("outcome", 3, ""), "Column 'outcome', row 4: '' is no outcome."),
    "third outcome": (
        put("outcome", 3, "open"),
        "Column 'outcome': beside what is bad it holds 'good', 'open'; say in [target] which values are good = [...]",
    ),
    "odd day": (put("issued", 3, "soon"), "Column 'issued', row 4: 'soon' is not a day such as 2011-12-31;"),
    "American day": (put("issued", 3, "12/31/2014"), "Column 'issued', row 4: '12/31/2014' is not a day such as"),
    "no day": (put("issued", 3, ""), "Column 'issued', row 4: '' is no date."),
    "one outcome": (lambda t: t.assign(outcome="good"), "Column 'outcome': all"),
    "only bad": (lambda t: t.assign(outcome="bad"), "Column 'outcome': all"),
    "no test side": (
        lambda t: t.assign(issued="2012-05-01"),
        "The test side of the split is empty: no row is from",
    ),
    "no training side": (
        lambda t: t.assign(issued="2016-05-01"),
        "The training side of the split is empty: no row",
    ),
    "all missing": (lambda t: t.assign(utilisation=""), "Column 'utilisation' has no value in any row."),
    "missing in training": (
        lambda t: t.assign(utilisation=t["utilisation"].astype(object).where(t["issued"] >= "2015", "")),
        "Column 'utilisation' has no value in any training row.",
    ),
    "copies": (
        doubled,
        "20 rows (3.2%) are equal to an earlier one in every column that the recipe reads, the first of them row 601,"
        " equal to row 11; take the copies out,",
    ),
    "no rows": (lambda t: t.iloc[:0], "The table loans.csv has no rows."),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_table_is_refused_with_a_sentence(tmp_path, name):
    change, sentence = TABLES[name]
    assert refusal(tmp_path, change(loans(600)), recipe_text()).startswith(sentence)


SETTINGS = {
    "weight of nothing": ('[weight]\ncolumn = "w"\n', {"w": 0}, "Column 'w', row 1: '0' is no weight"),
    "negative weight": ('[weight]\ncolumn = "w"\n', {"w": -1.5}, "Column 'w', row 1: '-1.5' is no weight"),
    "endless weight": ('[weight]\ncolumn = "w"\n', {"w": "inf"}, "Column 'w', row 1: 'inf' is not a finite number"),
    "no weight": ('[weight]\ncolumn = "w"\n', {"w": ""}, "Column 'w', row 1: '' is no weight"),
    "id twice": ('id = "w"\n', {"w": 7}, "Column 'w' repeats: rows 1 and 2 have the same id (599 rows repeat one)."),
    "no id": ('id = "w"\n', {"w": ""}, "Column 'w', row 1: '' is no id"),
    "nobody rejected": (
        '[reject_inference]\nmethod = "parcelling"\ncolumn = "w"\nrejected = ["no"]\n',
        {"w": "yes"},
        "Column 'w': no row holds 'no'",
    ),
    "flag of three": (
        '[[inputs]]\ncolumn = "w"\nkind = "flag"\ndirection = "free"\n',
        {"w": "maybe"},
        "Column 'w', row 1: 'maybe' is neither yes nor no (600 such rows); say what it means with values =",
    ),
    "outside own bounds": (
        '[[inputs]]\ncolumn = "w"\nkind = "number"\nleast = 0\nmost = 5\ndirection = "free"\n',
        {"w": 9999},
        "Column 'w', row 1: '9999' gives a w outside 0..5 (600 such rows); if it is a code, declare it under",
    ),
    "day to come": (
        '[[inputs]]\ncolumn = "w"\nname = "oldest_account_date"\n',
        {"w": "2019-01-01"},
        "Column 'w', row 1: '2019-01-01' is after the row's own day (issued) (600 such rows); correct such rows,",
    ),
    "only special codes": (
        '[[inputs]]\ncolumn = "w"\nkind = "number"\nspecial_codes = { "-1" = "none" }\ndirection = "free"\n',
        {"w": -1},
        "Column 'w' has no value in any row.",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_column_that_a_setting_names_is_refused_with_a_sentence(tmp_path, name):
    setting, columns, sentence = SETTINGS[name]
    text = recipe_text()
    text = setting + text if setting.startswith("id") else text + "\n" + setting
    assert refusal(tmp_path, loans(600).assign(**columns), text).startswith(sentence)


def test_too_few_bads_in_training_are_counted(tmp_path):
    table = loans(600).sort_values("issued").reset_index(drop=True)
    table["outcome"] = ["bad" if i < 9 or i > 500 else "good" for i in range(600)]
    said = refusal(tmp_path, table, recipe_text())
    assert said == "Column 'outcome': 9 bad rows in training are too few; 10 is the least."


def test_files_that_are_not_there_or_not_tables_are_named(tmp_path):
    recipe = load_recipe(written(tmp_path, loans(50), recipe_text())[0])
    files = {
        "odd.parquet": (b"PAR1 no", "odd.parquet is neither CSV nor Parquet"),
        "empty.csv": (b"", "empty.csv is empty"),
        "book.csv": (b"PK\x03\x04 and so on", "book.csv is a workbook or a zip file: save the sheet as CSV"),
        "latin.csv": ("доход,issued\n1,2\n".encode("cp1251"), "latin.csv is not UTF-8 text: say encoding ="),
        "twice.csv": (b"amount,amount\n1,2\n", "twice.csv has two columns 'amount'"),
        "ragged.csv": (loans(3).to_csv(index=False).encode() + b"1,2\n", "ragged.csv is neither CSV nor Parquet: CSV"),
    }
    for name, (data, sentence) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TableError, match=sentence.replace(".", r"\.")):
            read_tables(recipe, tmp_path / name, {})
    with pytest.raises(TableError, match=r"none\.csv cannot be read: No such file or directory"):
        read_tables(recipe, tmp_path / "none.csv", {})
    with pytest.raises(TableError, match="extra tables: none; see 'fico'"):
        read_tables(recipe, tmp_path / "loans.csv", {"fico": tmp_path / "loans.csv"})


def test_an_extra_table_is_joined_by_its_keys_or_refused(tmp_path):
    table = loans(600)
    table["id"] = range(len(table))
    text = recipe_text(fico=True).replace("[[inputs]]", EXTRA + "[[inputs]]", 1)
    recipe, data = written(tmp_path, table.drop(columns="fico"), text)
    other = tmp_path / "fico.csv"
    table.loc[table["fico"].notna(), ["id", "fico"]].iloc[::-1].to_csv(other, index=False)
    joined = read_tables(load_recipe(recipe), data, {"bureau": other})
    assert pd.Series(joined.columns.numbers("fico")).equals(table["fico"])
    assert [source.rows for source in joined.sources] == [600, int(table["fico"].notna().sum())]
    table.loc[[0, 0], ["id", "fico"]].to_csv(other, index=False)
    with pytest.raises(TrainingError, match=r"fico\.csv has two rows with the same id"):
        read_tables(load_recipe(recipe), data, {"bureau": other})
    with pytest.raises(TrainingError, match="extra tables: bureau; see 'bureau'"):
        read_tables(load_recipe(recipe), data, {})
