import pytest

from apps.scoring_engine.ml.grades import GRADES, annual_probability, grade, probability_of_default


def test_even_odds_at_400_and_twice_the_odds_every_50_points():
    assert probability_of_default(400) == 0.5
    assert probability_of_default(450) == pytest.approx(1 / 3)
    assert probability_of_default(500) == pytest.approx(1 / 5)
    assert probability_of_default(350) == pytest.approx(2 / 3)


def test_annual_probability_compounds_back():
    annual = annual_probability(0.15, 36)
    assert annual == pytest.approx(0.052732, abs=1e-6)
    assert 1 - (1 - annual) ** 3 == pytest.approx(0.15)
    assert annual_probability(0.15, 12) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("probability", "months", "letter"),
    [
        (0.0, 12, "A"), (0.0049, 12, "A"), (0.006, 12, "B"), (0.01999, 12, "C"), (0.03, 12, "D"),
        (0.0401, 12, "E"), (0.1, 12, "F"), (0.17, 12, "G"), (1.0, 12, "G"), (0.15, 36, "E"), (0.15, 6, "G"),
    ],
)  # fmt: skip
def test_grade_is_of_the_annual_probability(probability, months, letter):
    assert grade(probability, months) == letter


def test_bounds_of_grades_ascend():
    bounds = [bound for _, bound in GRADES]
    assert bounds == sorted(bounds)
    assert [letter for letter, _ in GRADES] == list("ABCDEFG")


@pytest.mark.parametrize(("probability", "months"), [(-0.1, 12), (1.1, 12), (float("nan"), 12), (0.1, 0)])
def test_impossible_values_are_refused(probability, months):
    with pytest.raises(ValueError, match="must be"):
        grade(probability, months)
