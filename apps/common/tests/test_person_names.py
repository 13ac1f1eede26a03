"""What likeness says of invented names; docs/person-names.md tells the same figures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.person_names import SAME_PERSON, is_same_person, likeness
from apps.common.tests.name_pairs import HELD_OUT, TUNED_ON, Pairs, wrong_pairs


def told_wrongly(pairs: Pairs) -> list[tuple[str, str]]:
    return [(one, other) for _, _, one, other, _ in wrong_pairs(pairs)]


def test_of_the_pairs_it_was_tuned_on_these_four_are_told_wrongly():
    assert {truth: sum(map(len, classes.values())) for truth, classes in TUNED_ON.items()} == {
        "same": 102,
        "different": 84,
    }
    assert told_wrongly(TUNED_ON) == [
        ("Негматов Одил", "Ne'matov Odil"),
        ("Shcherbakov Alexey", "Shcherbakov Aleksey"),
        ("Karimov Aziz Anvar", "Karimov Anvar Aziz"),
        ("Ergashev Aziz", "Ergashov Aziz"),
    ]


def test_of_the_pairs_held_out_these_three_are_told_wrongly():
    assert {truth: sum(map(len, classes.values())) for truth, classes in HELD_OUT.items()} == {
        "same": 29,
        "different": 27,
    }
    assert told_wrongly(HELD_OUT) == [
        ("Фёдоров Пётр", "Fedorov Petr"),
        ("Ahmad Jon Saidov", "Saidov Ahmadjon"),
        ("Sultonov Nurbek", "Sultonov Norbek"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Karimov Aziz", "КАРИМОВ АЗИЗ", 1.0),
        ("Aziz Karimov", "Karimov Aziz Anvarovich", 0.96),  # one word less
        ("A. Karimov", "Karimov Aziz", 0.96),  # an initial
        ("Karimov", "Karimov Aziz", 0.6),
        ("Karimov Aziz", "Karimova Aziza", 0.5),
        ("Baraka Savdo", "OOO Baraka Savdo", 0.97),
        ("Baraka Savdo MChJ", "Baraka Savdo XK", 0.7),
        ("Kim Nodir", "Kim Nodira", 0.75),
        ("Hasan Karimov", "Husan Karimov", 0.8),  # one vowel of five
    ],
)
def test_likeness_is_the_worst_pair_of_words_less_what_is_missing(one, other, expected):
    assert likeness(one, other) == pytest.approx(expected)


def test_the_threshold_decides():
    assert SAME_PERSON == 0.88
    assert is_same_person("Каримов Азиз", "Aziz Karimov")
    assert not is_same_person("Karimov Aziz", "Karimov Azizbek")


@pytest.mark.parametrize("empty", ["", "  ", "?!", "'", "\n"])
def test_a_name_without_letters_is_like_nothing(empty):
    assert likeness(empty, "Karimov Aziz") == 0.0
    assert likeness(empty, empty) == 0.0


names = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="abcdghijkoqsuxyzабвгқўғҳшчёюяи'ʻ .-\"", max_size=60),
    st.sampled_from(
        [name for classes in TUNED_ON.values() for pairs in classes.values() for pair in pairs for name in pair]
    ),
)


@settings(deadline=None)
@given(one=names, other=names)
def test_it_does_not_matter_which_name_comes_first(one, other):
    found = likeness(one, other)
    assert found == likeness(other, one)
    assert 0.0 <= found <= 1.0


@settings(deadline=None)
@given(name=names)
def test_a_name_is_wholly_like_itself(name):
    has_plain_letters = any(character.isascii() and character.isalnum() for character in name)
    assert likeness(name, name) in ((1.0,) if has_plain_letters else (0.0, 1.0))


def test_a_long_name_is_compared_too():
    long = " ".join(["Karimov"] * 5_000)
    assert likeness(long, long) == 1.0
    assert likeness(long, "x" * 100_000) < SAME_PERSON
