"""Two small cards on four applications whose every figure is worked out by hand.

                      first   second   amount
1 car                  485     460     30 million UZS    400 + 20 + 30 + (10 | -15) + 25
2 small business       460     515     30 million UZS    400 + 20 + 30 + (-15 | 40) + 25
3 car, history 750     515     490     30 million USD    400 + 20 + 60 + (10 | -15) + 25
4 business, 550, 0.5   350     405     60 million UZS    400 - 40 - 20 + (-15 | 40) + 25
"""

import json
from datetime import date, timedelta
from math import sqrt

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.common.errors import InvalidInput
from apps.credit_requests.comparison import Terms, compare_challenger, compare_models
from apps.credit_requests.comparison_figures import Assessed, Compared, deciles, figures_at, matching_cut_off, ranks
from apps.credit_requests.comparison_page import comparison_page
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.rescoring import rescore_credit_request
from apps.credit_requests.tests.factories import make_product, make_request
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.ml.risk_model import expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.examples import small_card, wide_card
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.tests.factories import NOW, empty_registry, make_prediction, model_bytes, put_in_service
from apps.scoring_engine.tests.factories import found as facts_found

SINCE = date(2026, 3, 1)
TERMS = Terms(SINCE, None, 480)


def other_card():
    card = small_card() | {"version": "test-2.0.0"}
    of_purpose = next(one for one in card["characteristics"] if one["feature"] == "purpose")
    of_purpose["points"], of_purpose["unseen_points"], of_purpose["missing_points"] = [-15, 40], -15, -15
    return card


@pytest.fixture
def no_models(db):
    empty_registry()


@pytest.fixture
def requests(db):
    branch, credit, dollars = make_branch(), make_product(code="credit"), make_product(code="dollars", currency="USD")
    better, worse = {"credit_history_score": 750}, {"credit_history_score": 550}
    business = {"purpose": "small_business"}
    return [
        make_request(make_individual(branch), credit, now=NOW),
        make_request(make_individual(branch), credit, now=NOW + timedelta(minutes=1), **business),
        make_request(make_individual(branch, currency="USD", **better), dollars, now=NOW + timedelta(minutes=2)),
        make_request(make_individual(branch, **worse), credit, now=NOW + timedelta(minutes=3),
                     requested_amount=60_000_000, **business),
    ]  # fmt: skip


def compared(first=None, second=None, terms=TERMS, actor=None):
    first, second = first or small_card(), second or other_card()
    return compare_models(
        first=Scorecard.from_dict(first), second=Scorecard.from_dict(second), terms=terms, actor=actor
    )


def probability(score):
    return 1 / (1 + 2 ** ((score - 400) / 50))


def means(first, second):
    sides = {"first": first, "second": second}
    return {side: score and round(probability(score), 6) for side, score in sides.items()}


def test_scores_and_their_correlation(requests):
    scores = compared()["scores"]
    assert scores["first"] == {"deciles": [350] * 3 + [460] * 3 + [485] * 2 + [515] * 3, "mean": 452.5}
    assert scores["second"] == {"deciles": [405] * 3 + [460] * 3 + [490] * 2 + [515] * 3, "mean": 467.5}
    assert scores["pearson"] == round(7925 / sqrt(15525 * 6725), 6)
    assert scores["spearman"] == 0.4
    assert (scores["equal"], scores["mean_distance"]) == (0, (25 + 55 + 25 + 55) / 4)
    assert sum(band["first"] for band in scores["bands"]) == sum(band["second"] for band in scores["bands"]) == 4


def test_swap_sets_and_expected_loss_at_the_same_cut_off(requests):
    found = compared()["same_cut_off"]
    assert found["approved"] == {"first": 2, "second": 2}
    assert found["approval_rate"] == {"first": 0.5, "second": 0.5}
    millions = 1_000_000
    assert found["swaps"] == {
        "in_in": {"number": 1, "amounts": {"USD": 30 * millions}, "mean_probability_of_default": means(515, 490)},
        "in_out": {"number": 1, "amounts": {"UZS": 30 * millions}, "mean_probability_of_default": means(485, 460)},
        "out_in": {"number": 1, "amounts": {"UZS": 30 * millions}, "mean_probability_of_default": means(460, 515)},
        "out_out": {"number": 1, "amounts": {"UZS": 60 * millions}, "mean_probability_of_default": means(350, 405)},
    }

    def loss(score):
        return round(30 * millions * probability(score) * 0.45, 2)

    one = {"number": 1, "amount": 30 * millions}
    of_both = {"currency": "USD", **one, "by_first": loss(515), "by_second": loss(490)}
    assert found["expected_loss"] == {
        "first": [of_both, {"currency": "UZS", **one, "by_first": loss(485), "by_second": loss(460)}],
        "second": [of_both, {"currency": "UZS", **one, "by_first": loss(460), "by_second": loss(515)}],
    }


def test_the_cut_off_of_the_second_with_as_many_approvals(requests):
    found = compared(terms=Terms(SINCE, None, 450, 0.9))["same_approval_rate"]
    assert found["cut_off"] == {"first": 450, "second": 460}
    assert found["approved"] == {"first": 3, "second": 3}
    assert {name: one["number"] for name, one in found["swaps"].items()} == {
        "in_in": 3, "in_out": 0, "out_in": 0, "out_out": 1,
    }  # fmt: skip


def test_disagreement_by_segment_and_by_grade(requests):
    found = compared()
    by_purpose = {one["value"]: one for one in found["segments"]["purpose"]}
    assert list(by_purpose) == ["car", "small_business"]
    car = by_purpose["car"]
    assert (car["number"], car["in_out"], car["out_in"], car["disagreement"]) == (2, 1, 0, 0.5)
    assert car["approval_rate"] == {"first": 1.0, "second": 0.5}
    assert car["mean_score"] == {"first": 500.0, "second": 475.0}
    assert [(one["value"], one["number"]) for one in found["segments"]["product"]] == [("credit", 3), ("dollars", 1)]
    assert [(one["value"], one["number"]) for one in found["segments"]["branch"]] == [("main", 4)]
    moves = {(a, b): n for a, line in found["grades"]["moves"].items() for b, n in line.items() if n}
    # Over 24 months 0.2354 (485) is 0.1255 a year, F; 0.1688 (515) is 0.0883, F; 0.3033 (460) is 0.1653, G.
    assert moves == {("F", "G"): 1, ("G", "F"): 1, ("F", "F"): 1, ("G", "G"): 1}
    assert found["outcomes"] == {"known": 0}


def test_later_changes_of_a_profile_do_not_matter(requests):
    before = compared()
    person = CreditRequest.objects.get(id=requests[0].id).individual
    changes = {"yearly_income": 40_000_000, "credit_history_score": 310}
    update_individual(individual=person, version=person.version, changes=changes, actor=None)
    CreditRequest.objects.filter(id=requests[1].id).update(requested_amount=99_000_000, purpose="wedding")
    assert compared() == before
    rescore_credit_request(credit_request=requests[0], actor=None, now=NOW + timedelta(days=3))
    assert compared(terms=Terms(SINCE, date(2026, 3, 4), 480))["scores"] == before["scores"]
    # Of the first applicant the latest scoring counts: 400 - 40 - 20 + 10 + 25.
    assert compared()["scores"]["first"]["deciles"] == [350] * 3 + [375] * 3 + [460] * 2 + [515] * 3


def test_scorings_that_answered_no_request_do_not_count(requests):
    make_prediction()
    assert compared()["applications"]["found"] == 4


def test_erased_facts_are_counted_and_left_out(requests):
    key = requests[3].individual.data_key_id
    destroy_keys([key], now=NOW)
    found = compared()
    told = found["applications"]
    assert (told["found"], told["compared"], told["erased"]) == (4, 3, 1)
    assert found["scores"]["first"]["deciles"][0] == 460
    assert "the person&#x27;s data were erased on request" in comparison_page(found)


def log_own_fact(request):
    """The newest scoring of the request, by a champion that knows `load`."""
    put_in_service(wide_card())
    facts = request.prediction.opened()["facts"] | {"load": 0.4}
    make_prediction(facts=facts_found(facts), data_key=request.individual.data_key, request_id=request.id, cause="own",
                    now=NOW + timedelta(hours=1))  # fmt: skip


def test_facts_that_one_model_refuses_are_counted_and_left_out(requests):
    log_own_fact(requests[0])
    other = wide_card() | {"version": "test-3.0.0"}
    next(one for one in other["inputs"] if one["name"] == "load")["most"] = 0.1
    told = compared(wide_card(), other)["applications"]
    assert (told["compared"], told["refused"], told["refused_by_first"], told["refused_by_second"]) == (3, 1, 0, 1)
    # months_at_address is required by both cards, and no request has it.
    assert (told["missing_required_first"], told["missing_required_second"]) == (3, 3)


def test_a_model_gets_only_the_facts_that_it_knows(requests):
    log_own_fact(requests[0])
    found = compared(wide_card(), small_card())
    assert found["applications"]["compared"] == 4
    assert found["scores"]["second"]["deciles"] == [350] * 3 + [460] * 3 + [485] * 2 + [515] * 3


def test_challenger_mode_reads_the_logged_pairs_and_scores_nothing(no_models, monkeypatch):
    put_in_service(small_card())
    put_in_service(other_card(), role="challenger")
    asked = [make_request(now=NOW), make_request(now=NOW + timedelta(minutes=1), purpose="small_business")]
    make_prediction()
    monkeypatch.setattr(Scorecard, "score", None)
    found = compare_challenger(segment="individual", terms=TERMS, actor=None)
    assert found["scored"] == "as logged"
    assert [found["models"][side]["version"] for side in ("first", "second")] == ["test-1.0.0", "test-2.0.0"]
    assert (found["applications"]["compared"], found["applications"]["without_a_request"]) == (len(asked), 1)
    assert found["scores"]["first"]["deciles"] == [460] * 6 + [485] * 5
    assert found["scores"]["second"]["deciles"] == [460] * 6 + [515] * 5
    assert {name: one["number"] for name, one in found["same_cut_off"]["swaps"].items()} == {
        "in_in": 0, "in_out": 1, "out_in": 1, "out_out": 0,
    }  # fmt: skip
    assert "nothing was scored again" in comparison_page(found)


def test_pairs_of_other_models_are_told_and_left_out(no_models):
    put_in_service(small_card())
    put_in_service(other_card(), role="challenger")
    make_request(now=NOW)
    put_in_service(other_card() | {"version": "test-4.0.0"}, role="challenger")
    make_request(now=NOW + timedelta(minutes=1))
    told = compare_challenger(segment="individual", terms=TERMS, actor=None)["applications"]
    assert (told["found"], told["compared"], told["other_models"]) == (2, 1, 1)


def test_the_opening_of_sealed_facts_is_an_event(requests):
    analyst = make_user("analyst")
    compared(actor=analyst)
    event = AuditEvent.objects.get(action="model.compare")
    first = PredictionLog.objects.order_by("created_at").first()
    assert (event.actor, event.subject_id) == (analyst, str(first.id))
    assert event.details == {
        "models": [Scorecard.from_dict(card).digest for card in (small_card(), other_card())],
        "segment": "individual", "role": "champion", "since": "2026-03-01", "until": None, "rows": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(SINCE, SINCE, 480), "The span is empty: it must end after 2026-03-01, not on 2026-03-01."),
        (Terms(SINCE, None, 1201), "The cut-off must be a score from 0 to 1200, not 1201."),
        (Terms(SINCE, None, -1), "The cut-off must be a score from 0 to 1200, not -1."),
        (Terms(SINCE, None, 1, float("nan")), "The loss given default must be above 0 and at most 1, not nan."),
        (Terms(date(2027, 1, 1), None, 480),
         "No application of the segment individual was scored from 2027-01-01 on."),
        (Terms(date(2026, 1, 1), date(2026, 2, 1), 480),
         "No application of the segment individual was scored from 2026-01-01 to before 2026-02-01."),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(requests, terms, said):
    with pytest.raises(InvalidInput) as refused:
        compared(terms=terms)
    assert refused.value.detail == said
    assert not AuditEvent.objects.filter(action="model.compare").exists()


def test_models_of_two_segments_are_refused(db):
    with pytest.raises(InvalidInput, match="only models of one segment can be compared"):
        compare_models(first=expert_card("individual"), second=expert_card("company"), terms=TERMS, actor=None)


def test_a_challenger_that_never_scored_is_refused(requests):
    with pytest.raises(InvalidInput) as refused:
        compare_challenger(segment="individual", terms=TERMS, actor=None)
    assert (
        refused.value.detail == "No challenger has scored an application of the segment individual from 2026-03-01 on."
    )


def test_text_of_a_model_is_escaped_on_the_page(requests):
    hostile = small_card() | {"definition_of_bad": "<script>alert(1)</script>"}
    page = comparison_page(compared(hostile))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    figures = compared()
    figures["segments"]["branch"][0]["value"] = "<img src=x onerror=alert(1)>"
    figures["models"]["first"]["version"] = "<b>x"
    page = comparison_page(figures)
    assert [word for word in ("<img", "<b>x") if word in page] == []


def test_models_that_foretell_different_things_are_told(requests):
    warned = "The two do not foretell the same thing"
    assert warned not in comparison_page(compared())
    other = other_card() | {"horizon": {"kind": "fixed", "months": 12}}
    assert warned in comparison_page(compared(second=other))


def run(tmp_path, *options, out="out", cards=(small_card, other_card)):
    paths = [tmp_path / f"{card.__name__}.joblib" for card in cards]
    for path, card in zip(paths, cards, strict=True):
        path.write_bytes(model_bytes(card()))
    call_command("compare_models", *map(str, paths), "--since", "2026-03-01", "--out", str(tmp_path / out), *options)
    return tmp_path / out


def test_the_command_writes_the_same_bytes_each_time(requests, tmp_path, capsys):
    first, second = (run(tmp_path, "--cut-off", "480", out=name) for name in ("a/b", "c"))
    assert sorted(path.name for path in first.iterdir()) == ["comparison.html", "comparison.json"]
    assert [(first / name).read_bytes() == (second / name).read_bytes() for name in
            ("comparison.html", "comparison.json")] == [True, True]  # fmt: skip
    assert json.loads((first / "comparison.json").read_text()) == compared()
    assert f"4 of 4 applications compared: {second}/comparison.html" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "other_card.joblib", "small_card.joblib"]


def test_the_page_needs_nothing_from_elsewhere(requests):
    page = comparison_page(compared())
    assert [word for word in ("<script", "<link", "src=", "@import", "url(") if word in page] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("individual", "no-such", "--cut-off", "480"), '"no-such" is no model here'),
        (("individual", "company", "--cut-off", "480"), "only models of one segment"),
        (("individual", "--cut-off", "480"), "Give two models, or --challenger and a segment, and not both."),
        (("individual", "individual", "--challenger", "individual", "--cut-off", "480"), "and not both"),
        (("individual", "individual", "--cut-off", "1201"), "The cut-off must be a score from 0 to 1200"),
        (("individual", "individual", "--cut-off", "480", "--since", "1 March"), "A day is like 2026-03-01"),
        (("individual", "individual", "--cut-off", "480", "--as", "nobody"), "no account with the username"),
    ],
)
def test_the_command_says_in_a_sentence_what_is_wrong(requests, tmp_path, arguments, said):
    given = ["--out", str(tmp_path / "out"), *arguments]
    with pytest.raises(CommandError, match=said):
        call_command("compare_models", *([] if "--since" in given else ["--since", "2026-03-01"]), *given)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_as_it_is(requests, tmp_path):
    out = run(tmp_path, "--cut-off", "480")
    before = (out / "comparison.json").read_bytes()
    with pytest.raises(CommandError, match="exists already; name a folder that does not"):
        run(tmp_path, "--cut-off", "500")
    assert (out / "comparison.json").read_bytes() == before


def scored(*pairs):
    sides = [(Assessed(a, probability(a), "A"), Assessed(b, probability(b), "A")) for a, b in pairs]
    return [Compared(a, b, 100, "UZS", "p", "b", "car") for a, b in sides]


def test_nobody_accepted_and_everybody_equal_have_figures_too():
    both = scored((400, 500), (400, 500))
    assert matching_cut_off(both, 401) == 501
    found = figures_at(both, 401, 501, 0.45)
    assert found["expected_loss"] == {"first": [], "second": []}
    assert found["swaps"]["in_in"]["mean_probability_of_default"] == {"first": None, "second": None}


def test_of_two_cut_offs_as_near_the_higher_one_is_taken():
    assert matching_cut_off(scored((500, 410), (500, 420), (300, 420), (300, 420)), 450) == 420
    assert matching_cut_off(scored((500, 430), (500, 420), (300, 420), (300, 300)), 450) == 430


def test_ranks_and_deciles_by_hand():
    assert ranks([7, 5, 7, 9]) == [2.5, 1.0, 2.5, 4.0]
    assert deciles(range(1, 101)) == [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
