"""What a recipe says, what it may leave out, and how it is refused."""

import datetime as dt

import pytest

from apps.scoring_engine.ml.learning.errors import RecipeError
from apps.scoring_engine.ml.learning.naming import name_of
from apps.scoring_engine.ml.learning.recipe import CharacteristicRule, load_recipe
from apps.scoring_engine.ml.learning.tests.tables import recipe_text

OWN = '[[inputs]]\ncolumn = "Стаж (лет)"\nkind = "integer"\ndirection = "higher_is_safer"\n'


def read(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path)


def test_what_is_left_out_comes_from_the_vocabulary_or_the_kind(tmp_path):
    recipe = read(tmp_path, recipe_text() + OWN)
    income, own = recipe.inputs[0], recipe.inputs[-1]
    assert (income.kind, income.unit, income.least, income.most) == ("money", "currency per year", 0, 10**15)
    assert (own.name, own.unit, own.least, own.most) == ("stazh_let", "count", -(10**15), 10**15)
    assert (own.label, own.code, own.shown_as) == ("Stazh let", "STAZH_LET", "count")
    assert (recipe.most_bins, recipe.pairs, recipe.reference, recipe.weight) == (6, 12, "all_applicants", None)
    assert (recipe.gates.auc_at_least, recipe.gates.calibration_slope) == (None, ())


def test_characteristics_are_the_inputs_then_the_features_with_a_direction(tmp_path):
    recipe = read(tmp_path, recipe_text(fico=True))
    names = [rule.feature for rule in recipe.characteristics]
    assert names == ["credit_history_score", "inquiries_6m", "revolving_utilisation", "purpose", "amount_to_income"]
    day = dt.date(2014, 1, 1)
    assert recipe.stage("after") == (
        CharacteristicRule("credit_history_score", "Bureau score", "score", "higher_is_safer", "BUREAU", "after", day),
    )
    assert recipe.characteristics[-1] == CharacteristicRule(
        "amount_to_income", "Amount to income", "percent", "higher_is_riskier", "AMOUNT"
    )


def test_all_settings_are_read(tmp_path):
    head = 'pairs = [["inquiries_6m", "purpose"]]\nfairness = ["sex"]\nid = "n"\ndecimal = ","\nowner = "Risk"\n'
    tail = (
        '[weight]\ncolumn = "w"\n[gates]\nauc_at_least = 0.6\ncalibration_slope = [0.8, 1.2]\n'
        '[reject_inference]\nmethod = "parcelling"\ncolumn = "accepted"\nrejected = ["no"]\n'
    )
    recipe = read(tmp_path, head + recipe_text() + tail)
    assert recipe.pairs == (("inquiries_6m", "purpose"),)
    assert (recipe.weight.column, recipe.gates.calibration_slope) == ("w", (0.8, 1.2))
    assert (recipe.reject_inference.prudence, recipe.reject_inference.bands) == (1.5, 10)
    assert recipe.changed({"weight.column": "v"}).weight.column == "v"
    assert recipe.changed({"pairs": 3}).pairs == 3


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("default.payment.next.month", "default_payment_next_month"), ("NewExist", "new_exist"), ("PAY_0", "pay_0"),
        ("30 days late", "x_30_days_late"), ("Yo‘nalish", "yonalish"), ("Доход", "dokhod"), ("%%", ""),
        ("Currency", "x_currency"),
    ],
)  # fmt: skip
def test_a_name_is_made_of_a_column(column, name):
    assert name_of(column) == name


LINES = {
    "not TOML": ("= 1", "is not valid TOML"),
    "unknown setting": ("colour = 1", "unknown setting 'colour'"),
    "internal setting": ('digest = "x"', "unknown setting 'digest'"),
    "wrong type": ('seed = "x"', "seed must be a whole number"),
    "flag for a number": ("seed = true", "seed must be a whole number"),
    "list of the wrong things": ("notes = [1]", "notes must be a list"),
    "no format": ("format = 2", "format must be 1"),
    "purpose": ('purpose = "fun"', "purpose must be own or demonstration"),
    "empty text": ('title = " "', "title must not be empty"),
    "one bin": ("most_bins = 1", "most_bins must be 2 or more"),
    "many pairs": ("pairs = 31", "pairs must be from 0 to 30"),
    "pair of strangers": ('pairs = [["purpose", "x"]]', "the pair ['purpose', 'x'] must name two characteristics"),
    "pair with itself": ('pairs = [["purpose", "purpose"]]', "must name two characteristics of the main stage"),
    "no cut-off": ('reference = "near_cut_off"', "reference near_cut_off needs cut_off"),
    "reference": ('reference = "mean"', "reference must be one of all_applicants"),
    "two splits": ("holdout = 0.2", "give either [time] or holdout"),
    "fairness of an input": ('fairness = ["purpose"]', "column 'purpose' is for fairness, so it cannot be an input"),
    "materiality": ('materiality = "huge"', "materiality must be low, medium or high"),
    "duplicates": ('duplicates = "drop"', "duplicates must be refuse or allow"),
    "old form": ("characteristics = []", "[[characteristics]] is gone"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_bad_recipe_is_refused_with_a_sentence(tmp_path, name):
    line, sentence = LINES[name]
    key = line.split(" ")[0]
    kept = [text for text in recipe_text().splitlines() if not text.startswith(f"{key} =")]
    with pytest.raises(RecipeError) as refused:
        read(tmp_path, "\n".join([line, *kept]))
    assert sentence in str(refused.value)


CONTRADICTIONS = [
    ('name = "inquiries_6m"\nkind', 'name = "age"\nkind', "'age' may not be scored: age counts only"),
    ('kind = "integer"', 'kind = "number"', "'inquiries_6m' must have kind 'integer' and unit 'count', or another"),
    ('kind = "integer"\nunit = "count"', "least = 1", "its bounds are 0..1000, since the engine knows this fact"),
    ('of = ["requested_amount"', 'of = ["wealth"', "made of 'wealth', which the recipe does not have"),
    ('of = ["requested_amount"', 'of = ["purpose"', "cannot be made of 'purpose', which is a category"),
    ('name = "amount_to_income"', 'name = "existing_debt"', "this name is a fact the engine knows"),
    ('name = "amount_to_income"', 'name = "inquiries_6m"', "this name is a fact the engine knows"),
    ("least = 0\nmost = 10", "least = 3", "a ratio needs least below most"),
    ('kind = "ratio"', 'kind = "sum"', "must be one of ratio, difference, years_between"),
    ('direction = "free"', 'direction = "higher_is_safer"', "a category has no order, so its direction must be free"),
    ('direction = "free"', 'direction = "up"', "direction must be one of higher_is_safer"),
    ('code = "AMOUNT"', 'code = "PURPOSE"', "two characteristics have the code 'PURPOSE'"),
    ('code = "AMOUNT"', 'code = "a"', "a code is capital latin letters"),
    ('shown_as = "percent"\ncode', 'shown_as = "pence"\ncode', "shown_as must be one of ratio"),
    ('auto = "car"', 'auto = "spaceship"', "'spaceship' is not one of its values"),
    ('column = "issued"\n', "", "time: the setting 'column' is absent"),
    ("cut = 2015-01-01", "cut = 2015-01-01T00:00:00", "cut must be a day such as 2011-12-31"),
    ('equals = ["bad"]', 'equals = ["bad"]\nlast_row = { of = "purpose" }', "'by' is absent"),
    ('equals = ["bad"]', "", "target needs either equals or contains"),
    ('equals = ["bad"]', 'equals = ["bad"]\ngood = ["bad"]', "target names the value 'bad' twice"),
    ('[target]\ncolumn = "outcome"\nequals = ["bad"]', "", "target is absent: say which column tells bad from good"),
    ("months = 12", "months = 0", "[horizon] must say kind (fixed or contract) and months"),
    ("divide_by = 100", "divide_by = 0", "times and divide_by must not be 0"),
    ("divide_by = 100", 'special_codes = { x = "none" }', "the special code 'x' is no number"),
    ("divide_by = 100", 'empty_is = "-1"', "empty_is '-1' must be one of its special_codes"),
    ("divide_by = 100", 'stage = "later"', "stage must be main or after"),
    ("divide_by = 100", "validate_from = 2014-01-01", "validate_from belongs to the stage after"),
    ("divide_by = 100", 'scale = "fico_300_850"', "has no scale"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), CONTRADICTIONS)
def test_a_recipe_that_contradicts_itself_is_refused(tmp_path, old, new, sentence):
    assert old in recipe_text()
    with pytest.raises(RecipeError) as refused:
        read(tmp_path, recipe_text().replace(old, new, 1))
    assert sentence in str(refused.value)


OWN_FACTS = [
    ('column = "x"', "kind must be one of number, integer, money"),
    ('column = "x"\nkind = "number"\nname = "as_of"', "since this one is taken: it is the day of scoring"),
    ('column = "x"\nkind = "text"', "kind must be one of number, integer, money"),
    ('column = "%%"\nkind = "number"', "column '%%': give the input a name in latin letters"),
    ('column = "x"\nkind = "date"\ndirection = "free"', "a date cannot be one; make a years_between feature"),
    ('column = "x"\nkind = "number"\nleast = 5\nmost = 1', "least must be below most"),
    ('column = "x"\nkind = "category"\nmost = 1', "a category has no least and most"),
    ('column = "x"\nkind = "category"\nspecial_codes = { "1" = "a" }', "only numbers have special codes"),
    ('column = "x"\nkind = "flag"\nempty_is = "maybe"', "empty_is of a flag must be true, false or unavailable"),
    ('column = "x"\nkind = "flag"\nvalues = { a = "b" }', "'b' among its values is neither true nor false"),
    ('column = "x"\nkind = "number"\nvalues = { a = "b" }', "'b' among its values is no number"),
    ('name = "purpose"\ncolumn = "x"', "two are named 'purpose'"),
]


@pytest.mark.parametrize(("lines", "sentence"), OWN_FACTS)
def test_a_fact_of_the_lenders_own_is_checked(tmp_path, lines, sentence):
    with pytest.raises(RecipeError) as refused:
        read(tmp_path, recipe_text() + f"\n[[inputs]]\n{lines}\n")
    assert sentence in str(refused.value)


def test_without_any_direction_there_is_nothing_to_learn(tmp_path):
    kept = [line for line in recipe_text().splitlines() if not line.startswith("direction")]
    with pytest.raises(RecipeError, match="has no characteristics: give an input or a feature a direction"):
        read(tmp_path, "\n".join(kept))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"gone\.toml cannot be read: No such file or directory"):
        load_recipe(tmp_path / "gone.toml")
