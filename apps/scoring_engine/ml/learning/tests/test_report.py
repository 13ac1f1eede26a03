import re
from html.parser import HTMLParser

import pytest

from apps.scoring_engine.ml.learning.errors import TrainingError
from apps.scoring_engine.ml.learning.findings import BAD, GOOD, NOTE, findings, opening
from apps.scoring_engine.ml.learning.report import report, write_report
from apps.scoring_engine.ml.learning.report_card import words_of
from apps.scoring_engine.ml.learning.tests.figures_example import example_figures

VOID = {"meta", "br", "link", "img"}


class Outline(HTMLParser):
    """Open elements must close in order; ids, headings, texts and outside addresses are kept."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.tags, self.outside, self.texts = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.outside += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def outline(page):
    found = Outline()
    found.feed(page)
    found.close()
    return found


def of_topic(figures, topic):
    return [(one.level, one.text) for one in findings(figures) if one.topic == topic]


def test_the_page_is_whole_and_needs_nothing_from_outside():
    found = outline(report(example_figures()))
    assert found.open == []
    assert found.outside == []
    assert "script" not in found.tags
    assert len(found.ids) == len(set(found.ids))
    assert found.tags.count("svg") == 7  # ROC, KS, gain, calibration, scores, two characteristics
    assert re.findall(r"(?:@import|url\(|https?:)(?!//www\.w3\.org/2000/svg)", report(example_figures())) == []


def test_every_plot_has_a_table_beside_it():
    page = report(example_figures())
    assert page.count('<div class="beside">') == page.count("<svg ")
    assert all("<table>" in part for part in page.split('<div class="beside">')[1:])


def test_texts_of_the_data_cannot_become_markup():
    page = report(example_figures())
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "test loans &lt;of the bank&gt;" in page
    assert "&lt;wedding&gt;" in page
    assert "90 days &amp; more late" in page


def test_it_is_the_same_to_the_byte():
    assert report(example_figures()) == report(example_figures())


def test_the_verdict_opens_with_the_figures():
    texts = " ".join(outline(report(example_figures())).texts)
    first = texts.index("1 finding outside the customary limits (stability); 3 points to know.")
    second = texts.index(
        "On 2,000 rows out of time (300 bad, 15.0 %) the card separates with AUC 0.683 (95 %: 0.668 to 0.698)"
    )
    assert first < second < texts.index("The model")
    assert "Expected 297 bad, observed 300: 1.010 times what was expected." in texts


def test_what_only_a_person_can_write_stands_empty_and_marked():
    asked = re.findall(r"To be written by a person: ([^<]+)<", report(example_figures()))
    assert asked == [
        "hiding and the policy", "intended use, and who approved it",
        "are these data like the lender&#x27;s own applicants?", "limits that are accepted", "the validator&#x27;s"
                                                                                             " opinion",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("slope", "level", "words"),
    [(1.03, GOOD, "error 0.81 %."), (0.62, BAD, "too sure of itself"), (1.42, BAD, "too timid")],
)
def test_the_slope_is_called_bad_outside_its_limits(slope, level, words):
    figures = example_figures()
    figures["test"]["calibration_slope"] = slope
    found = of_topic(figures, "calibration")
    assert [one for one, _ in found] == [level]
    assert f"slope is {slope:.3f}" in found[0][1]
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("ratio", "level", "words"), [(1.3, BAD, "too optimistic"), (0.7, BAD, "too cautious"), (1.2, GOOD, "Expected")]
)
def test_too_many_or_too_few_bads_are_said_plainly(ratio, level, words):
    figures = example_figures()
    figures["test"]["observed_to_expected"] = ratio
    assert of_topic(figures, "level of risk")[0][0] == level
    assert words in of_topic(figures, "level of risk")[0][1]


def test_few_bads_are_said_plainly():
    figures = example_figures()
    assert of_topic(figures, "evidence") == []
    figures["test"] |= {"bads": 41}
    assert of_topic(figures, "evidence") == [
        (
            BAD,
            "41 bad rows are too few to settle anything: fewer than 100, so every figure here is an orientation only.",
        )
    ]


def test_a_card_that_cannot_be_told_from_chance_is_bad():
    figures = example_figures()
    figures["test"] |= {"auc_lower": 0.49}
    assert of_topic(figures, "ranking")[0][0] == BAD
    assert of_topic(figures, "ranking")[0][1].endswith("That cannot be told from chance.")


def test_a_comparison_says_better_worse_or_neither():
    figures = example_figures()
    assert of_topic(figures, "comparison") == [
        (GOOD, "The card ranks better than logistic regression (AUC 0.671) by 0.012 (95 %: 0.003 to 0.021, p = 0.009,"
               " DeLong)."),
        (GOOD, "The card and LightGBM (AUC 0.689) cannot be told apart: difference -0.006 (95 %: -0.014 to 0.002,"
               " p = 0.140, DeLong)."),
    ]  # fmt: skip
    figures["comparison"]["challengers"][1] |= {"p_value": 0.0004}
    assert of_topic(figures, "comparison")[1] == (
        BAD, "The card ranks worse than LightGBM (AUC 0.689) by 0.006 (95 %: -0.014 to 0.002, p < 0.001, DeLong).",
    )  # fmt: skip


def test_without_training_rows_it_says_what_cannot_be_known():
    figures = example_figures()
    figures |= {"training": None, "score_stability": None, "comparison": None}
    figures["data"] |= {"kind": "new_data", "cut": None}
    for one in figures["tables"]:
        one |= {"training": None, "psi": None, "psi_by_chance": None, "light": None}
    page = report(figures)
    assert "rows of a table that the card was not trained on" in page
    assert of_topic(figures, "comparison")[0][0] == NOTE
    assert of_topic(figures, "stability")[0][0] == NOTE
    assert outline(page).open == []


def test_gaming_that_pays_is_bad_and_named():
    figures = example_figures()
    worst = {"input": "existing_debt", "row": 1203, "score_before": 431, "score_after": 440, "rise": 9}
    figures["gaming"]["worsening"] |= {"violations": 4, "worst": worst}
    assert of_topic(figures, "gaming")[0] == (
        BAD, "4 of 19,700 worsened values earned more than allowed; the worst, existing_debt of row 1,203, raised"
             " the score"
             " by 9.",
    )  # fmt: skip
    assert "existing_debt, row 1,203: 431 to 440" in report(figures)


def test_what_hiding_earns_within_the_rule_is_said():
    assert of_topic(example_figures(), "gaming")[2] == (
        NOTE, "Within the rule, leaving a value out raised 310 of 20,000 scores, by up to 6 points, and moved 15 of"
              " them over 431: a policy has to refer what is missing, or the input has to be required.",
    )  # fmt: skip


def test_a_ratio_below_four_fifths_is_bad_and_a_small_group_is_insufficient_evidence():
    figures = example_figures()
    figures["fairness"]["sex"]["groups"][1]["approval"] |= {"ratio": 0.78}
    assert of_topic(figures, "fairness") == [
        (BAD, "sex: female is approved 0.78 times as often as male (95 %: 0.92 to 1.02), below four fifths."),
        (NOTE, "sex: insufficient evidence for other."),
    ]
    assert report(figures).count("insufficient evidence") == 5  # the sentence, three cells of the group, one segment


def test_a_step_against_its_direction_is_bad():
    figures = example_figures()
    figures["monotonicity"][0] |= {"against": 1}
    assert of_topic(figures, "order") == [(BAD, "1 of 5 steps of points go against their direction.")]


def test_a_failed_gate_is_bad():
    figures = example_figures()
    figures["gates"][0] |= {"required": "at least 0.7", "passed": False}
    assert of_topic(figures, "gates") == [(BAD, "Acceptance gate failed: auc 0.683, asked was at least 0.7.")]


def test_reject_inference_is_shown_as_an_assumption():
    figures = example_figures()
    assert 'id="rejects"' not in report(figures)
    figures["reject_inference"] = {"method": "parcelling", "prudence": 1.5}
    assert "That is an assumption" in report(figures)


def test_the_opening_counts():
    figures = example_figures()
    figures["tables"][1] |= {"psi": 0.01, "light": "green"}
    assert opening(findings(figures)) == "No finding is outside the customary limits; 3 points to know."


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("(-inf, 0.2)", "under 0.2"), ("[0.2, 0.5)", "0.2 to under 0.5"), ("[1500000.0, inf)", "1,500,000 or more"),
        ("car|home_improvement", "car, home improvement"), ("special:never_late", "special code never late"),
        ("missing", "missing"), ("[a, b]", "[a, b]"), ("[0.30000000000000004, 0.5)", "0.3 to under 0.5"),
    ],
)  # fmt: skip
def test_labels_of_bins_are_written_for_people(label, words):
    assert words_of(label) == words


def test_both_files_are_written_or_none(tmp_path):
    write_report(example_figures(), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["validation.html", "validation.json"]
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write_report(example_figures(), tmp_path / "file" / "out")


def test_a_card_of_64_characteristics_stays_within_a_few_megabytes():
    figures = example_figures()
    one = figures["tables"][0]
    bins = 20
    wide = {
        "labels": [f"[{k / 7}, {(k + 1) / 7})" for k in range(bins)], "points": list(range(bins)),
        "axes": [[f"[{k / 7}, {(k + 1) / 7})" for k in range(bins)]],
        "training": {"rows": [100] * bins, "bads": [10] * bins, "information_value": 0.1},
        "test": {"rows": [100] * bins, "bads": [10] * bins, "information_value": 0.1},
    }  # fmt: skip
    figures["tables"] = [{**one, **wide, "name": f"c{k}"} for k in range(64)] + figures["tables"]
    assert len(report(figures)) < 2_000_000
