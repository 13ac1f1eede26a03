import pytest

from apps.scoring_engine.ml.cards import read_card
from apps.scoring_engine.ml.reasons import bin_labels, reasons_of_bins, reasons_of_states
from apps.scoring_engine.ml.vocabulary import as_input

from .examples import small_card


def reasons(number: int, **changes) -> list[str]:
    card = small_card()
    card["characteristics"][number].update(changes)
    read = read_card(card)
    return reasons_of_bins(read, read.characteristics[number])


def late_payments(kind: str) -> list[str]:
    fact = {"integer": "delinquencies_24m", "number": "employment_years"}[kind]
    card = small_card()
    card["inputs"].append(as_input("individual", fact))
    card["characteristics"][3] |= {
        "feature": fact, "unit": "count", "label": "Late payments", "edges": [0.5, 2, 4, 4.5],
        "points": [0, 1, 2, 3, 4], "typical": 0,
    }  # fmt: skip
    read = read_card(card)
    return reasons_of_bins(read, read.characteristics[3])


def test_percent():
    assert reasons(0) == [
        "Requested amount to yearly income is under 20 %; 18 % is typical",
        "Requested amount to yearly income is from 20 % to under 35 %; 18 % is typical",
        "Requested amount to yearly income is from 35 % to under 50 %; 18 % is typical",
        "Requested amount to yearly income is 50 % or more; 18 % is typical",
    ]


def test_bounds_are_exact_and_only_the_typical_value_is_rounded():
    found = reasons(0, edges=[0.07, 0.29, 0.123456789 + 0.2], typical=0.17654)
    assert found[1] == "Requested amount to yearly income is from 7 % to under 29 %; 18 % is typical"
    assert found[2] == "Requested amount to yearly income is from 29 % to under 32.3456789 %; 18 % is typical"


def test_counts_are_whole():
    found = late_payments(kind="integer")
    assert [reason.split(";")[0] for reason in found] == [
        "Late payments is 0",
        "Late payments is 1",
        "Late payments is 2 to 3",
        "Late payments is 4",
        "Late payments is 5 or more",
    ]


def test_parts_of_a_count_are_not_called_whole():
    assert late_payments(kind="number")[1:4] == [
        "Late payments is from 0.5 to under 2; 0 is typical",
        "Late payments is from 2 to under 4; 0 is typical",
        "Late payments is from 4 to under 4.5; 0 is typical",
    ]


def test_years_and_scores():
    assert reasons(3)[:2] == [
        "Age of the oldest credit account is under 1 year; 4 years is typical",
        "Age of the oldest credit account is from 1 to under 4.5 years; 4 years is typical",
    ]
    assert reasons(1)[2] == "Credit history score is 700 or more; 690 is typical"


def test_ratio_without_a_typical_value():
    assert reasons(0, unit="ratio", typical=None)[1] == "Requested amount to yearly income is from 0.2 to under 0.35"


def test_months_money_and_numbers():
    assert reasons(3, unit="months", edges=[1, 12], typical=30.4)[1:] == [
        "Age of the oldest credit account is from 1 to under 12 months; 30 months is typical",
        "Age of the oldest credit account is 12 months or more; 30 months is typical",
    ]
    assert reasons(3, unit="months", edges=[1, 12])[0].startswith("Age of the oldest credit account is under 1 month;")
    assert reasons(3, unit="money", edges=[1200, 1234567.5], typical=54321.6)[1:] == [
        "Age of the oldest credit account is from 1,200 to under 1,234,567.5; 54,322 is typical",
        "Age of the oldest credit account is 1,234,567.5 or more; 54,322 is typical",
    ]
    assert reasons(3, unit="number", edges=[-0.25, 1200], typical=0.123456)[:2] == [
        "Age of the oldest credit account is under -0.25; 0.123 is typical",
        "Age of the oldest credit account is from -0.25 to under 1200; 0.123 is typical",
    ]
    assert reasons(3, unit="number", typical=1234.5)[0].endswith("1234 is typical")


def test_groups():
    assert reasons(2) == [
        "Purpose of the credit is car or wedding; car is typical",
        "Purpose of the credit is small business; car is typical",
    ]


def test_states_say_why_there_is_no_value():
    card = read_card(small_card())
    assert reasons_of_states(card, card.characteristics[0])["missing"] == (
        "Requested amount to yearly income is not known, because at least one of requested amount and yearly income"
        " was not given"
    )
    found = reasons_of_states(card, card.characteristics[1])
    assert found["missing"] == "Credit history score is not known, because it was not given"
    assert found["unavailable"] == (
        "Credit history score is not known, because its source could not be reached, so it counts neither for nor"
        " against"
    )
    assert found["special:other_scale"] == (
        "Credit history score is not on the scale fico_300_850 of this card, so it counts neither for nor against"
    )


def test_labels():
    card = read_card(small_card())
    assert bin_labels(card.characteristics[1]) == ["(-inf, 600)", "[600, 700)", "[700, inf)"]
    assert bin_labels(card.characteristics[2]) == ["car|wedding", "small_business"]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_no_two_bins_share_a_label_or_a_reason(number):
    card = read_card(small_card())
    characteristic = card.characteristics[number]
    for texts in (bin_labels(characteristic), reasons_of_bins(card, characteristic)):
        assert len(set(texts)) == len(characteristic.points)
