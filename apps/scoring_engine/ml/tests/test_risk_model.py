"""Bare prediction, and what happens to a model file that is not as it should be."""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest

from apps.scoring_engine.ml import risk_model
from apps.scoring_engine.ml.cards import CardError
from apps.scoring_engine.ml.risk_model import (
    Shelf,
    UnknownModelError,
    describe_model,
    predict_company_risk,
    predict_individual_risk,
)
from apps.scoring_engine.ml.vocabulary import FactsError

from .examples import AS_OF, small_card

PERSON = {"yearly_income": 50000, "existing_debt": 5000, "requested_amount": 10000, "credit_history_score": 650}
COMPANY = {"revenue": 900, "net_income": 40, "assets": 700, "liabilities": 300, "requested_amount": 90}
EXPERT = Path(risk_model.__file__).parent / "expert"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXPERT, tmp_path / "expert")
    (tmp_path / "models").mkdir()
    approve(tmp_path)
    return tmp_path


def approve(folder: Path, *digests: str, segment: str = "individual") -> None:
    approved = {"individual": [], "company": []} | {segment: list(digests)}
    (folder / "approved.json").write_text(json.dumps(approved))


def place(folder: Path, data: bytes, *, approved: bool = True) -> str:
    (folder / "models" / "individual_model.joblib").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    if approved:
        approve(folder, digest)
    return digest


def model_bytes(tmp_path: Path, card: object) -> bytes:
    joblib.dump(card, tmp_path / "dumped", compress=0)
    return (tmp_path / "dumped").read_bytes()


def fallback_reason(folder: Path) -> str:
    serving = Shelf(folder).card_in_service("individual")
    assert serving.mode == "fallback"
    assert serving.card.version == "expert/individual-1.0.0"
    assert serving.file_digest is None
    assert serving.reason.startswith("The expert card is used instead of individual_model.joblib: ")
    assert serving.reason.endswith(".")
    assert serving.reason.isprintable()
    return serving.reason


# Bare prediction


@pytest.mark.parametrize(("predict", "facts"), [(predict_individual_risk, PERSON), (predict_company_risk, COMPANY)])
def test_prediction_is_a_tuple_of_three_that_adds_up(predict, facts):
    result = predict(facts)
    assert type(result) is tuple
    score, explanation, model_version = result
    described = describe_model(model_version)
    assert type(score) is int
    assert sum(e["impact"] for e in explanation) == score - described["reference_score"]
    assert sum(e["points"] for e in explanation) == score - described["base_points"]
    assert described["least_score"] <= score <= described["most_score"]
    assert described["purpose"] == "demonstration"


def test_bare_calls_take_a_score_without_scale_as_fico():
    stated = predict_individual_risk(PERSON | {"credit_history_scale": "fico_300_850"})
    assert predict_individual_risk(PERSON) == stated
    assert "credit_history_scale" not in PERSON


def test_bare_calls_refuse_what_fico_cannot_be():
    with pytest.raises(FactsError, match="300 to 850"):
        predict_individual_risk(PERSON | {"credit_history_score": 200})


def test_the_day_of_scoring_can_be_given():
    facts = PERSON | {"oldest_account_date": "2023-12-31"}
    assert predict_individual_risk(facts, as_of=AS_OF)
    with pytest.raises(FactsError, match="oldest_account_date"):
        predict_individual_risk(facts | {"oldest_account_date": "2024-01-02"}, as_of=AS_OF)


def test_a_fact_of_the_wrong_segment_is_refused():
    with pytest.raises(FactsError, match="revenue: is not a fact known of an individual"):
        predict_individual_risk(PERSON | {"revenue": 5})


@pytest.mark.parametrize("segment", ["individual", "company"])
def test_expert_cards_are_described_by_their_version(segment):
    described = describe_model(f"expert/{segment}-1.0.0")
    assert (described["segment"], described["mode"]) == (segment, "fallback")
    assert described["horizon"] == {"kind": "fixed", "months": 12}
    assert described["provenance"]["source"] == "expert judgement; not learnt from data"
    assert 0 <= described["least_score"] < described["reference_score"] < described["most_score"] <= 1200


def test_an_unknown_version_is_a_lookup_error_that_names_the_known_ones():
    with pytest.raises(UnknownModelError, match=r"there are .*expert/company-1\.0\.0") as caught:
        describe_model("individual-0.0.0")
    assert isinstance(caught.value, LookupError)


def test_an_unknown_segment_is_a_programming_error():
    with pytest.raises(ValueError, match="segment must be one of individual, company"):
        Shelf(EXPERT.parent).card_in_service("../../etc")


# A sound model file


def test_an_approved_model_file_is_served(folder, tmp_path):
    digest = place(folder, model_bytes(tmp_path, small_card()))
    serving = Shelf(folder).card_in_service("individual")
    assert (serving.mode, serving.reason, serving.file_digest) == ("model", None, digest)
    assert serving.card.to_dict() == small_card()
    assert Shelf(folder).describe("test-1.0.0")["mode"] == "model"
    assert Shelf(folder).card_in_service("company").mode == "fallback"


def test_what_joblib_writes_joblib_reads_and_the_file_names_no_globals(folder, tmp_path):
    data = model_bytes(tmp_path, small_card())
    place(folder, data)
    assert joblib.load(folder / "models" / "individual_model.joblib") == small_card()
    assert risk_model.read_model_bytes(data).version == "test-1.0.0"


def test_a_change_of_the_file_is_seen_at_the_next_call(folder, tmp_path):
    shelf = Shelf(folder)
    assert shelf.card_in_service("individual").mode == "fallback"
    digest = place(folder, model_bytes(tmp_path, small_card()))
    first = shelf.card_in_service("individual")
    assert first.mode == "model"
    assert shelf.card_in_service("individual") is first
    other = model_bytes(tmp_path, small_card() | {"version": "test-1.0.1"})
    place(folder, other, approved=False)
    assert "not among the approved" in shelf.card_in_service("individual").reason
    approve(folder, digest, hashlib.sha256(other).hexdigest())
    assert shelf.card_in_service("individual").card.version == "test-1.0.1"


def test_an_approval_that_is_withdrawn_ends_the_service(folder, tmp_path):
    place(folder, model_bytes(tmp_path, small_card()))
    shelf = Shelf(folder)
    assert shelf.card_in_service("individual").mode == "model"
    approve(folder)
    assert shelf.card_in_service("individual").mode == "fallback"


# Hostile and broken files: each is approved, unless approval is the point


class Attack:
    """Unpickled, it would make a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable, tuple]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_in_a_file_runs(folder, tmp_path, protocol, approved):
    target = tmp_path / "attacked"
    data = pickle.dumps({**small_card(), "provenance": {"x": Attack(target)}}, protocol=protocol)
    place(folder, data, approved=approved)
    reason = fallback_reason(folder)
    assert ("only plain data is read" in reason) is approved
    assert not target.exists()
    pickle.loads(data)
    assert target.exists()


def test_an_unapproved_file_is_not_even_unpickled(folder, tmp_path):
    place(folder, b"garbage", approved=False)
    assert "its SHA-256 is not among the approved ones" in fallback_reason(folder)


def test_an_approval_for_the_other_segment_does_not_count(folder, tmp_path):
    digest = place(folder, model_bytes(tmp_path, small_card()))
    approve(folder, digest, segment="company")
    assert "not among the approved" in fallback_reason(folder)


def test_a_missing_file(folder):
    assert "there is no such file" in fallback_reason(folder)


def test_a_missing_folder(folder):
    shutil.rmtree(folder / "models")
    assert "there is no such file" in fallback_reason(folder)


def test_every_cut_of_a_file(folder, tmp_path):
    data = model_bytes(tmp_path, small_card())
    for length in range(0, len(data), 97):
        with pytest.raises(risk_model.ModelFileError, match=r"cannot be read|is refused"):
            risk_model.read_model_bytes(data[:length])
    place(folder, data[: len(data) // 2])
    assert "it cannot be read" in fallback_reason(folder)


def test_every_changed_byte_is_refused_by_the_digest(folder, tmp_path):
    data = bytearray(model_bytes(tmp_path, small_card()))
    place(folder, bytes(data))
    data[len(data) // 2] ^= 1
    place(folder, bytes(data), approved=False)
    assert "not among the approved" in fallback_reason(folder)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"garbage", b"\x80\x05", b"\x80\xff.", b"}" * 1000, b"(" * 100_000 + b".", b"\x80\x04N.", b"h\x00.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", b"cos\nsystem\n(S'true'\ntR.", b"P1\n.", b"\x82\x01.", b"\x97.",
        b"I" + b"9" * 5000 + b"\n.", b"]" + b"\x85" * 5000 + b".", b"S'\\x'\n.", b"\x80\x04\x8c\x02\xff\xff.",
    ],
)  # fmt: skip
def test_bytes_that_are_no_card(folder, data):
    place(folder, data)
    reason = fallback_reason(folder)
    assert "cannot be read" in reason or "card is refused" in reason


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ([1, 2], "its card is refused"),
        ({}, "the card lacks format"),
        (small_card() | {"format": 2}, "format must be 1"),
        (small_card() | {"base_points": 5000}, "are reachable"),
        (small_card() | {"version": "expert/individual-9"}, "only the shipped expert cards"),
        (json.loads((EXPERT / "company.json").read_text()) | {"version": "c-1"}, "its card is for segment company"),
    ],
)
def test_a_sound_file_with_the_wrong_card(folder, tmp_path, card, message):
    place(folder, model_bytes(tmp_path, card))
    assert message in fallback_reason(folder)


def test_a_folder_in_place_of_the_file(folder):
    (folder / "models" / "individual_model.joblib").mkdir()
    assert "it is not a regular file" in fallback_reason(folder)


def test_a_pipe_in_place_of_the_file_is_not_waited_on(folder):
    os.mkfifo(folder / "models" / "individual_model.joblib")
    assert "it is not a regular file" in fallback_reason(folder)


def test_a_link_to_itself(folder):
    path = folder / "models" / "individual_model.joblib"
    path.symlink_to(path)
    assert "it cannot be opened" in fallback_reason(folder)


def test_a_huge_file_is_not_read_whole(folder):
    path = folder / "models" / "individual_model.joblib"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert "it is larger than 8 MiB" in fallback_reason(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(folder, tmp_path):
    place(folder, model_bytes(tmp_path, small_card()))
    (folder / "models" / "individual_model.joblib").chmod(0)
    assert "it cannot be opened" in fallback_reason(folder)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"company": []}', '{"individual": "abc"}', "[" * 200_000])
def test_a_broken_list_of_approvals_approves_nothing(folder, tmp_path, text):
    digest = place(folder, model_bytes(tmp_path, small_card()))
    (folder / "approved.json").write_text(text.replace("abc", digest))
    assert "approved" in fallback_reason(folder)


def test_a_missing_list_of_approvals_approves_nothing(folder, tmp_path):
    place(folder, model_bytes(tmp_path, small_card()))
    (folder / "approved.json").unlink()
    assert "the list of approved digests, approved.json, cannot be read" in fallback_reason(folder)


def test_a_broken_expert_card_is_a_broken_installation(folder):
    (folder / "expert" / "individual.json").write_text("{}")
    with pytest.raises(CardError):
        Shelf(folder).card_in_service("individual")
