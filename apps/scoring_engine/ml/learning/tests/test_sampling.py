"""Which rows count, which are bad, which are held back, and what is said about them."""

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.rows import MISSING
from apps.scoring_engine.ml.learning.sampling import draw_sample
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written


def drawn(folder, table, text, **options):
    recipe, data = written(folder, table, text)
    loaded = load_recipe(recipe)
    return draw_sample(loaded, read_tables(loaded, data, {}), **options)


def test_rows_are_those_of_the_file_in_its_order(tmp_path):
    table = loans(800)
    sample = drawn(tmp_path, table, recipe_text())
    assert sample.positions.tolist() == list(range(800))
    assert sample.rows.is_bad.tolist() == (table["outcome"] == "bad").tolist()
    assert sample.test.tolist() == (table["issued"] >= "2015-01-01").tolist()
    assert sample.when.astype(str).tolist() == table["issued"].tolist()
    assert sample.rows.values["yearly_income"].tolist() == table["income"].tolist()
    assert sample.rows.weight.tolist() == [1.0] * 800
    assert (sample.rejected, sample.warnings, sample.excluded) == (None, (), ())


def test_on_new_data_all_rows_are_test_rows(tmp_path):
    sample = drawn(tmp_path, loans(100).assign(issued="2020-01-01"), recipe_text(), split=False)
    assert sample.test.all()


def test_exclusions_are_counted_in_order(tmp_path):
    table = loans(800)
    rules = (
        '[[exclusions]]\ncolumn = "purpose"\nequals = ["auto", ""]\nreason = "cars"\n'
        '[[exclusions]]\ncolumn = "inquiries"\nabove = 2\nreason = "many inquiries"\n'
    )
    sample = drawn(tmp_path, table, recipe_text() + rules)
    cars = table["purpose"] == "auto"
    many = ~cars & (table["inquiries"] > 2)
    assert [one["rows"] for one in sample.excluded] == [int(cars.sum()), int(many.sum())]
    assert sample.positions.tolist() == np.flatnonzero(~cars & ~many).tolist()


def test_what_is_left_out_need_not_be_right(tmp_path):
    table = loans(800)
    table["amount"] = table["amount"].astype(object)
    table.loc[5, ["purpose", "amount", "outcome"]] = ["test", "abc", ""]
    rule = '[[exclusions]]\ncolumn = "purpose"\nequals = ["test"]\nreason = "a test row"\n'
    assert 5 not in drawn(tmp_path, table, recipe_text() + rule).positions


def test_good_bad_and_neither(tmp_path):
    table = loans(800)
    table.loc[:9, "outcome"] = "open"
    table.loc[10:19, "outcome"] = "paid"
    text = recipe_text().replace(
        'equals = ["bad"]', 'equals = ["bad"]\ngood = ["good", "paid"]\nindeterminate = ["open"]'
    )
    sample = drawn(tmp_path, table, text)
    assert sample.positions.tolist() == list(range(10, 800))
    assert not sample.rows.is_bad[:10].any()
    assert sample.excluded == ({"reason": "neither good nor bad (indeterminate outcome)", "rows": 10},)


@pytest.mark.parametrize(("values", "equals"), [((1.0, 0.0), "[1]"), ((True, False), "[true]"), (("Y", "N"), '["Y"]')])
def test_outcomes_may_be_numbers_flags_or_texts(tmp_path, values, equals):
    table = loans(800)
    is_bad = table["outcome"] == "bad"
    table["outcome"] = np.where(is_bad, *values)
    sample = drawn(tmp_path, table, recipe_text().replace('["bad"]', equals))
    assert sample.rows.is_bad.tolist() == is_bad.tolist()


def test_weights_groups_and_people(tmp_path):
    table = loans(800).assign(w=lambda t: 1 + t.index % 3, who=lambda t: t.index // 4, sex=["f", "m", "", "f"] * 200)
    table.loc[4:7, "who"] = np.nan
    text = 'group = "who"\nfairness = ["sex"]\n' + recipe_text(holdout=0.3) + '[weight]\ncolumn = "w"\n'
    sample = drawn(tmp_path, table, text)
    assert sample.rows.weight[:4].tolist() == [1, 2, 3, 1]
    assert sample.extra["sex"][:4].tolist() == ["f", "m", "", "f"]
    groups = sample.rows.group
    assert len(set(groups[:4].tolist())) == 1
    assert len(set(groups[4:8].tolist())) == 4, "rows without a group are alone"
    assert all(len(set(sample.test[groups == g].tolist())) == 1 for g in range(groups.max() + 1))


def test_the_rejected_need_no_outcome_and_never_reach_the_test(tmp_path):
    table = loans(800).assign(accepted="yes")
    table.loc[table.index % 4 == 0, ["accepted", "outcome"]] = ["no", ""]
    rule = '[reject_inference]\nmethod = "parcelling"\ncolumn = "accepted"\nrejected = ["no"]\n'
    sample = drawn(tmp_path, table, recipe_text() + rule)
    early = (table["accepted"] == "no") & (table["issued"] < "2015-01-01")
    assert len(sample.rows) == 600
    assert len(sample.rejected) == int(early.sum())
    assert not sample.rejected.is_bad.any()
    assert sample.rejected.values["yearly_income"].tolist() == table["income"][early].tolist()
    assert sample.rejected_when.astype(str).tolist() == table["issued"][early].tolist()


def test_what_is_odd_but_no_mistake_is_warned_of(tmp_path):
    table = loans(800)
    late = np.flatnonzero(table["issued"] >= "2015-01-01")[:2]
    table["city"] = ["Tashkent", "Nukus"] * 400
    table.loc[late, "city"] = ["Bukhara", "Termez"]
    table.loc[late[0], "inquiries"] = np.nan
    own = (
        '[[inputs]]\nname = "branch"\ncolumn = "city"\nkind = "category"\ndirection = "free"\n'
        '[[inputs]]\nname = "share"\ncolumn = "utilisation"\nkind = "number"\nspecial_codes = { "-1" = "none" }\n'
        '[[inputs]]\nname = "district"\ncolumn = "region"\nkind = "category"\ndirection = "free"\n'
    )
    sample = drawn(tmp_path, table.assign(region="a"), recipe_text() + own)
    assert sample.rows.states["inquiries_6m"][late[0]] == MISSING
    assert sample.warnings == (
        "Input 'share' has no direction and no feature is made of it, so nothing uses it.",
        "Input 'district' is read from column 'region': place is for fairness tests only.",
        "Column 'city': 2 test rows hold values never seen in training ('Bukhara', 'Termez'); they earn what a missing"
        " value earns.",
        "Column 'utilisation': no row has the special code -1; it will earn what a missing value earns.",
    )


def test_a_day_known_to_the_month_only_counts_to_its_end(tmp_path):
    table = loans(800).assign(opened="2014-05-20", issued=lambda t: t["issued"].str[:7])
    table = table[table["issued"] >= "2014-05"].reset_index(drop=True)
    own = '[[inputs]]\nname = "oldest_account_date"\ncolumn = "opened"\n'
    assert len(drawn(tmp_path, table, recipe_text() + own).rows) == len(table)


def test_the_last_row_of_a_company_has_the_event_and_lost_ones_are_left_out(tmp_path):
    table = loans(800).assign(firm=lambda t: t.index // 4, year=[2011, 2012, 2013, 2014] * 200)
    table["outcome"] = np.repeat(np.where(np.arange(200) % 3 == 0, "bad", "good"), 4)
    table = table.drop(index=3 + 4 * np.flatnonzero(np.arange(200) % 3 == 1)[:10]).reset_index(drop=True)
    rule = '[target.last_row]\nof = "firm"\nby = "year"\npanel_end = 2014\n[[inputs]]'
    sample = drawn(tmp_path, table, recipe_text(holdout=0.3).replace("[[inputs]]", rule, 1))
    assert sample.rows.is_bad.sum() == 67
    assert sample.excluded == ({"reason": "censored: leaves the panel before its end", "rows": 10},)
