import pytest

from apps.individuals.income import Income, find_salary, find_yearly_income, salary, yearly_income


def row(month, amount, basis="gross", source="official"):
    return {"month": month, "amount": amount, "basis": basis, "source": source}


def profile(*incomes, salary=None, yearly_income=None):
    return {"incomes": list(incomes), "salary": salary, "yearly_income": yearly_income}


def test_what_is_given_wins_over_rows():
    told = profile(row("2026-01", 7), row("2026-01", 5, "net"), salary=100, yearly_income=2000)
    assert find_yearly_income(told) == Income(2000, "given")
    assert find_salary(told) == Income(100, "given")


def test_nothing_given_zero_is_still_given():
    assert find_yearly_income(profile(yearly_income=0)) == Income(0, "given")
    assert find_yearly_income(profile()) is None
    assert find_salary(profile()) is None
    assert (yearly_income(profile()), salary(profile())) == (None, None)


def test_a_year_of_gross_rows_is_their_sum():
    told = profile(*(row(f"2025-{month:02}", 1000 + month) for month in range(1, 13)))
    assert find_yearly_income(told) == Income(12_078, "income rows")
    assert find_salary(told) is None


def test_fewer_months_are_scaled_to_a_year_and_rounded_down():
    assert yearly_income(profile(row("2025-11", 100), row("2025-12", 101), row("2026-01", 100))) == 1204
    assert salary(profile(row("2025-11", 100, "net"), row("2025-12", 101, "net"), row("2026-01", 100, "net"))) == 100


def test_sources_of_one_month_add_up():
    told = profile(row("2025-12", 100), row("2025-12", 50, source="other"), row("2026-01", 150))
    assert yearly_income(told) == 1800


def test_months_older_than_twelve_are_left_out():
    recent = [row("2025-02", 100), row("2026-01", 100)]
    assert yearly_income(profile(*recent, row("2025-01", 999_999))) == yearly_income(profile(*recent)) == 200


def test_a_month_without_a_row_counts_as_nothing_earned():
    assert yearly_income(profile(row("2025-10", 300), row("2026-01", 300))) == 1800


def test_net_and_gross_are_not_mixed():
    told = profile(row("2026-01", 120), row("2026-01", 100, "net"))
    assert (yearly_income(told), salary(told)) == (1440, 100)


@pytest.mark.parametrize("told", [profile(salary=100), profile(row("2026-01", 100, "net"))])
def test_net_pay_stands_in_for_an_unknown_gross_income(told):
    assert find_yearly_income(told) == Income(1200, "salary x 12")
