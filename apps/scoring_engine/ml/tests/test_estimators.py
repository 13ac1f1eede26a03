import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps.scoring_engine.ml.cards import CardError, canonical
from apps.scoring_engine.ml.estimators.contributions import by_shapley, in_order, whole_impacts
from apps.scoring_engine.ml.estimators.estimator import (
    describe_estimator,
    exact_points,
    read_estimator,
    rounded,
    texts_by_label,
)
from apps.scoring_engine.ml.estimators.types import list_types
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.ml.tests.estimator_examples import (
    APPLICANT,
    AS_OF,
    METHODS,
    NUMBERS,
    REFERENCE,
    ROW,
    fitted,
    manifest,
    saved,
)
from apps.scoring_engine.ml.vocabulary import check_facts


@pytest.fixture(scope="module", params=sorted(METHODS))
def known(request):
    """Kind, the classifier itself, its file, document and estimator."""
    kind, model = request.param, fitted(request.param)
    content = saved(model)
    document = describe_estimator(content, manifest(kind))
    return kind, model, content, document, read_estimator(content, json.loads(canonical(document)))


def applicant(kind, **changes):
    return APPLICANT | ({"purpose": "medical"} if kind == "with_categories" else {}) | changes


def table_of(kind, row):
    if kind == "forest":
        return np.array([row])
    frame = pd.DataFrame([row], columns=NUMBERS)
    return frame.assign(purpose="medical") if kind == "with_categories" else frame


def test_the_probability_is_the_classifiers_own(known):
    kind, model, _, _, estimator = known
    assessment = estimator.score(applicant(kind), as_of=AS_OF)
    p = float(model.predict_proba(table_of(kind, ROW))[0, 1])
    assert assessment.probability_of_default == pytest.approx(p, rel=1e-12)
    assert assessment.score == rounded(exact_points(p))


def test_impacts_add_up_for_any_applicant(known):
    kind, _, _, _, estimator = known
    rng = np.random.default_rng(3)
    for _ in range(25):
        facts = {
            "yearly_income": int(rng.integers(0, 10**9)),
            "employment_years": float(rng.uniform(0, 80)),
            "requested_amount": int(rng.integers(1, 10**6)),
        }
        del facts[rng.choice(["yearly_income", "employment_years", "requested_amount"])]
        assessment = estimator.score(applicant(kind) | facts, as_of=AS_OF)
        impacts = [entry["impact"] for entry in assessment.explanation]
        assert all(type(impact) is int for impact in impacts)
        assert estimator.reference_score + sum(impacts) == assessment.score
        assert impacts == sorted(impacts)
        assert set(assessment.bins) == {entry["feature"] for entry in assessment.explanation}


def test_it_says_how_the_impacts_were_found(known):
    kind, _, _, document, estimator = known
    assessment = estimator.score(applicant(kind), as_of=AS_OF)
    assert assessment.method == document["contributions"] == METHODS[kind]
    assert assessment.warnings[0]["code"] == "contributions"


def test_the_reference_applicant_has_no_impacts(known):
    kind, _, _, _, estimator = known
    if METHODS[kind] == "lightgbm":
        pytest.skip("LightGBM's contributions are against its mean")
    facts = {"yearly_income": 50_000, "employment_years": 5, "requested_amount": 20_000}
    assessment = estimator.score(applicant(kind) | facts | ({"purpose": "car"} if "cat" in kind else {}), as_of=AS_OF)
    assert {entry["impact"] for entry in assessment.explanation if entry["feature"] != "purpose"} == {0}


def test_the_document_is_what_the_digest_names(known):
    kind, _, content, document, estimator = known
    assert estimator.to_dict() == document
    assert estimator.digest == hashlib.sha256(canonical(document).encode()).hexdigest()
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert document["types"] == list(list_types(content))
    texts = texts_by_label(document)
    assessment = estimator.score(applicant(kind), as_of=AS_OF)
    assert all(texts[entry["feature"]][assessment.bins[entry["feature"]]] for entry in assessment.explanation)


@pytest.mark.parametrize("packing", [3, ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_packed_files_load_the_same(packing):
    model = fitted("logistic")
    content = saved(model, compress=packing)
    assert list_types(content) == list_types(saved(model))
    estimator = read_estimator(content, describe_estimator(content, manifest()))
    assert estimator.score(APPLICANT, as_of=AS_OF).score == _plain_logistic().score(APPLICANT, as_of=AS_OF).score


def _plain_logistic():
    content = saved(fitted("logistic"))
    return read_estimator(content, describe_estimator(content, manifest()))


def test_contributions_of_lightgbm_are_its_own():
    model, content = fitted("lightgbm"), saved(fitted("lightgbm"))
    estimator = read_estimator(content, describe_estimator(content, manifest()))
    own = model.booster_.predict(pd.DataFrame([ROW], columns=NUMBERS), pred_contrib=True)[0]
    points = -50 / np.log(2) * own
    assert estimator.reference_score == rounded(400 + points[-1])
    found = {entry["feature"]: entry["impact"] for entry in estimator.score(APPLICANT, as_of=AS_OF).explanation}
    assert all(abs(found[name] - points[place]) < 1 for place, name in enumerate(NUMBERS))


def test_contributions_of_a_linear_model_are_its_coefficients_times_the_difference():
    model, estimator = fitted("logistic"), _plain_logistic()
    scaled = model[:-1].transform(pd.DataFrame([ROW, list(REFERENCE.values())], columns=NUMBERS))
    points = -50 / np.log(2) * model[-1].coef_[0] * (scaled[0] - scaled[1])
    found = {entry["feature"]: entry["impact"] for entry in estimator.score(APPLICANT, as_of=AS_OF).explanation}
    assert all(abs(found[name] - points[place]) < 1 for place, name in enumerate(NUMBERS))


def test_shapley_values_by_hand():
    """v = 3a + 2b + 4ab + c x 0: a has 3 + 2, b has 2 + 2, c nothing."""

    def value(mixtures):
        return np.array([3.0 * a + 2 * b + 4 * (a and b) for a, b, _ in mixtures])

    assert by_shapley(3, value) == pytest.approx([5, 4, 0])
    assert in_order(3, value) == [3, 6, 0]


def test_rounding_by_largest_remainder():
    assert whole_impacts([1.5, -2.25, 0.75], ["a", "b", "c"], 0) == [1, -2, 1]
    assert whole_impacts([0.5, 0.5], ["b", "a"], 1) == [0, 1]
    assert whole_impacts([-100.0, -300.0], ["a", "b"], -200) == [-50, -150]


def test_a_source_that_is_down_counts_as_the_reference():
    estimator = _plain_logistic()
    facts = {name: value for name, value in APPLICANT.items() if name != "employment_years"}
    down = estimator.score(facts, as_of=AS_OF, unavailable=frozenset(["employment_years"]))
    assert {e["impact"] for e in down.explanation if e["feature"] == "employment_years"} == {0}
    assert down.bins["employment_years"] == "unavailable"


def test_a_category_never_seen_is_scored_with_a_warning():
    content = saved(fitted("with_categories"))
    estimator = read_estimator(content, describe_estimator(content, manifest("with_categories")))
    assessment = estimator.score(APPLICANT | {"purpose": "holiday on the moon"}, as_of=AS_OF)
    assert [w["fact"] for w in assessment.warnings if w["code"] == "unseen_category"] == ["purpose"]


def test_facts_of_the_vocabulary_pass():
    estimator = _plain_logistic()
    facts = check_facts("individual", dict(APPLICANT), as_of=AS_OF, own=estimator.own)
    assert estimator.score(facts, as_of=AS_OF).missing_required == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segment": "state"}, "segment must be one of"),
        ({"version": "expert/mine"}, "only the shipped expert cards"),
        ({"horizon": {"kind": "fixed", "months": 0}}, "horizon.months"),
        ({"inputs": ["criminal_history"]}, "criminal_history may not be scored"),
        ({"inputs": ["shoe_size"]}, '"shoe_size" is not a fact of the vocabulary'),
        ({"columns": ["yearly_income", "colour"]}, 'feature "colour"'),
        ({"columns": [*NUMBERS, "yearly_income"]}, "stands twice"),
        ({"columns": [{"feature": "yearly_income", "missing": "none"}]}, "missing must be a number or null"),
        ({"columns": [{"feature": "yearly_income", "codes": {"a": 1}}]}, "only a category has them"),
        ({"reference": {"yearly_income": 1}}, "reference lacks employment_years"),
        ({"reference": {**REFERENCE, "employment_years": "long"}}, "employment_years must be a number"),
        ({"colour": "red"}, 'unknown key "colour"'),
        ({"sha256": "0" * 64}, 'unknown key "sha256"'),
    ],
)
def test_a_manifest_is_refused_by_field(changes, message):
    with pytest.raises(CardError, match=message):
        describe_estimator(saved(fitted("logistic")), manifest(**changes))


def test_a_model_that_cannot_score_an_absent_value_is_refused_with_what_to_do():
    from sklearn.linear_model import LogisticRegression

    from apps.scoring_engine.ml.tests.estimator_examples import table

    facts, bad = table()
    content = saved(LogisticRegression().fit(facts[NUMBERS], bad))
    with pytest.raises(ModelFileError, match=r"yearly_income \(missing\).*NaN"):
        read_estimator(content, describe_estimator(content, manifest()))
    columns = [{"feature": name, "missing": 0} for name in NUMBERS]
    estimator = read_estimator(content, describe_estimator(content, manifest(columns=columns)))
    assert estimator.score({}, as_of=AS_OF).bins["yearly_income"] == "missing"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": NUMBERS[::-1]}, "it was fitted on yearly_income, employment_years, amount_to_income"),
        ({"bad_class": 7}, "its classes are 0, 1; there must be two, one of them 7"),
    ],
)
def test_a_manifest_that_does_not_fit_the_model_is_refused(changes, message):
    content = saved(fitted("logistic"))
    with pytest.raises(ModelFileError, match=message):
        read_estimator(content, describe_estimator(content, manifest(**changes)))


def test_another_version_of_scikit_learn_is_refused(monkeypatch):
    import sklearn

    content = saved(fitted("logistic"))
    document = describe_estimator(content, manifest())
    monkeypatch.setattr(sklearn, "__version__", "1.8.0")
    with pytest.raises(ModelFileError, match=r"fitted with scikit-learn .*, and 1\.8\.0 is installed"):
        read_estimator(content, document)


ROOT = Path(__file__).resolve().parents[4]
SCRIPT = """
import json, pathlib, sys
from apps.scoring_engine.ml.estimators.estimator import read_estimator
from apps.scoring_engine.ml.tests.estimator_examples import APPLICANT, AS_OF
folder = pathlib.Path(sys.argv[1])
estimator = read_estimator((folder / "m.joblib").read_bytes(), json.loads((folder / "m.json").read_text()))
done = estimator.score(APPLICANT, as_of=AS_OF)
print(json.dumps([done.probability_of_default.hex(), done.score, [e["impact"] for e in done.explanation]]))
"""


@pytest.mark.parametrize("kind", ["forest", "lightgbm"])
def test_the_same_bits_in_another_process_with_another_seed_and_other_threads(kind, tmp_path):
    content = saved(fitted(kind))
    (tmp_path / "m.joblib").write_bytes(content)
    (tmp_path / "m.json").write_text(canonical(describe_estimator(content, manifest(kind))))
    told = set()
    for seed, threads in (("1", "1"), ("2", "4")):
        environment = {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert len(told) == 1
