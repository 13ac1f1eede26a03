"""Whatever is wrong with recipe or table: one sentence that names it, and nothing written."""

import pytest

from apps.scoring_engine.ml.learning.artefact import write_model
from apps.scoring_engine.ml.learning.errors import TrainingError
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written
from apps.scoring_engine.ml.learning.training import train

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
        train(load_recipe(recipe), data, {})
    return str(refused.value)


def put(column, row, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


TABLES = {
    "absent column": (lambda t: t.drop(columns=["inquiries"]), "The table loans.csv has no column 'inquiries'."),
    "word for a number": (put("amount", 4, "abc"), "Column 'amount', row 5: 'abc' is not a finite number."),
    "infinity": (put("utilisation", 0, "inf"), "Column 'utilisation', row 1: 'inf' is not a finite number."),
    "half a count": (put("inquiries", 1, "1.5"), "Column 'inquiries', row 2: '1.5' is not a whole number."),
    "negative income": (put("income", 2, "-5"), "Column 'income', row 3: '-5' gives a yearly_income outside"),
    "unknown purpose": (put("purpose", 9, "yacht"), "Column 'purpose', row 10: 'yacht' is not a known purpose."),
    "no outcome": (put("outcome", 3, ""), "Column 'outcome', row 4: '' is no outcome."),
    "odd day": (put("issued", 3, "soon"), "Column 'issued', row 4: 'soon' is not a day such as 2011-12-31."),
    "no day": (put("issued", 3, ""), "Column 'issued', row 4: '' is no date."),
    "one outcome": (lambda t: t.assign(outcome="good"), "Column 'outcome': all"),
    "empty side": (lambda t: t.assign(issued="2012-05-01"), "The test side of the split is empty: no row is from"),
    "all missing": (lambda t: t.assign(utilisation=""), "Column 'utilisation' has no value in any row."),
    "no rows": (lambda t: t.iloc[:0], "The table loans.csv has no rows."),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_table_is_refused_with_a_sentence(tmp_path, name):
    change, sentence = TABLES[name]
    assert refusal(tmp_path, change(loans(600)), recipe_text()).startswith(sentence)


RECIPES = {
    "not TOML": ("= 1", "is not valid TOML"),
    "unknown setting": ("colour = 1", "unknown setting 'colour'"),
    "wrong type": ('seed = "x"', "seed must be of type int"),
    "no format": ("format = 2", "format must be 1"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_bad_recipe_is_refused_with_a_sentence(tmp_path, name):
    line, sentence = RECIPES[name]
    key = line.split(" ")[0]
    kept = [text for text in recipe_text().splitlines() if not text.startswith(f"{key} =")]
    assert sentence in refusal(tmp_path, loans(50), "\n".join([line, *kept]))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "inquiries_6m"\nkind', 'name = "shoe_size"\nkind', "'shoe_size' is not a fact of segment individual"),
        ('kind = "integer"', 'kind = "number"', "must have kind 'integer' and unit 'count'"),
        ('of = ["requested_amount"', 'of = ["wealth"', "made of 'wealth', which the recipe does not have"),
        ('feature = "purpose"', 'feature = "colour"', "characteristic 'colour' must be an input or feature"),
        ('auto = "car"', 'auto = "spaceship"', "'spaceship' is not one of its values"),
        ('column = "issued"\n', "", "time: the setting 'column' is absent"),
        ('equals = ["bad"]', 'equals = ["bad"]\nlast_row = { of = "purpose" }', "'by' is absent"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(tmp_path, old, new, sentence):
    assert old in recipe_text()
    assert sentence in refusal(tmp_path, loans(50), recipe_text().replace(old, new))


def test_files_that_are_not_there_or_not_tables_are_named(tmp_path):
    recipe, data = written(tmp_path, loans(50), recipe_text())
    (tmp_path / "odd.parquet").write_bytes(b"PAR1 no")
    for name, sentence in (("none.csv", r"none\.csv cannot be read"), ("odd.parquet", "neither CSV nor Parquet")):
        with pytest.raises(TrainingError, match=sentence):
            train(load_recipe(recipe), tmp_path / name, {})
    with pytest.raises(TrainingError, match="extra tables: none; see 'fico'"):
        train(load_recipe(recipe), data, {"fico": data})
    with pytest.raises(TrainingError, match=r"gone\.toml cannot be read"):
        load_recipe(tmp_path / "gone.toml")


def test_a_card_that_serving_would_refuse_is_not_written(tmp_path):
    recipe, data = written(tmp_path, loans(600), recipe_text().replace('purpose = "own"', 'purpose = "fun"'))
    with pytest.raises(TrainingError, match=r"makes a card that is refused: .*purpose must be one of"):
        write_model(train(load_recipe(recipe), data, {}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_extra_table_is_joined_by_its_keys_or_refused(tmp_path):
    table = loans(600)
    table["id"] = range(len(table))
    text = recipe_text(fico=True).replace("[[inputs]]", EXTRA + "[[inputs]]", 1)
    recipe, data = written(tmp_path, table.drop(columns="fico"), text)
    other = tmp_path / "fico.csv"
    table.loc[table["fico"].notna(), ["id", "fico"]].to_csv(other, index=False)
    joined = read_tables(load_recipe(recipe), data, {"bureau": other})
    assert joined.columns["fico"].astype(float).equals(table["fico"])
    assert [source.rows for source in joined.sources] == [600, int(table["fico"].notna().sum())]
    table.loc[[0, 0], ["id", "fico"]].to_csv(other, index=False)
    with pytest.raises(TrainingError, match=r"fico\.csv has two rows with the same id"):
        read_tables(load_recipe(recipe), data, {"bureau": other})
    with pytest.raises(TrainingError, match="extra tables: bureau; see 'bureau'"):
        read_tables(load_recipe(recipe), data, {})
