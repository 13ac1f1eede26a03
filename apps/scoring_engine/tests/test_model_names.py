import json
import re

import pytest

from apps.scoring_engine.ml.risk_model import card_in_service, expert_card, shipped_model
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.model_names import ModelNameError, find_model
from apps.scoring_engine.models import ModelCard, ModelFile, ModelVersion
from apps.scoring_engine.tests.factories import LONG_AGO, model_bytes, put_in_service

pytestmark = pytest.mark.django_db


def refusal(name: str) -> str:
    with pytest.raises(ModelNameError) as raised:
        find_model(name)
    return str(raised.value)


def test_a_file_with_its_manifest_beside_it(tmp_path):
    content, card, manifest = shipped_model("individual")
    path = tmp_path / "mine.joblib"
    path.write_bytes(content)
    assert find_model(str(path)).manifest == {}
    path.with_suffix(".manifest.json").write_text(json.dumps(manifest))
    found = find_model(str(path))
    assert (found.scorer.digest, found.manifest, found.name) == (card.digest, manifest, str(path))


def test_a_registered_version(no_models):
    put_in_service(small_card())
    found = find_model("test-1.0.0")
    assert (found.scorer.version, found.name, found.warning) == ("test-1.0.0", "test-1.0.0", "")
    assert find_model(card_in_service("company").card.version).manifest["segment"] == "company"


@pytest.mark.parametrize("of", ["file_id", "card_id"])
@pytest.mark.parametrize("length", [8, 64])
def test_the_start_of_the_digest_of_a_file_or_its_document(of, length):
    model = ModelVersion.objects.get(segment="individual")
    digest = getattr(model, of)[:length]
    assert find_model(digest).scorer.digest == model.card_id
    assert find_model(digest.upper()).scorer.digest == model.card_id


def test_a_digest_needs_eight_characters():
    digest = ModelVersion.objects.get(segment="individual").card_id
    assert refusal(digest[:7]).startswith(f'"{digest[:7]}" is no model here: give the path of a .joblib file')


def test_the_start_of_two_digests_is_refused():
    first = ModelVersion.objects.get(segment="individual")
    start = first.card_id[:8]
    # Two digests with a common start are too rare to wait for, so the second one is made up.
    file = ModelFile.objects.create(digest=start + "0" * 56, content=b"")
    card = ModelCard.objects.create(digest="0" * 64, segment="individual", version="zzz-2", text="{}")
    same = {"segment": "individual", "kind": "scorecard", "origin": "shipped", "manifest": {}}
    ModelVersion.objects.create(version="zzz-2", file=file, card=card, since=LONG_AGO, created_at=LONG_AGO, **same)
    versions = f"{first.version}, zzz-2"
    assert refusal(start) == f'"{start}" is the start of more than one digest: {versions}; give more of it.'


def test_a_segment_is_its_champion():
    model = ModelVersion.objects.get(segment="company", state="champion")
    found = find_model("company")
    assert (found.scorer.digest, found.manifest, found.name) == (model.card_id, model.manifest, model.version)
    assert found.warning == ""


def test_a_segment_without_a_champion_is_the_expert_card_and_says_so(no_models):
    found = find_model("individual")
    assert found.scorer is expert_card("individual")
    assert re.match(r"The expert card is used: no model of this segment is in service.*\.", found.warning)


def test_an_expert_card_by_its_version():
    assert find_model(expert_card("company").version).scorer is expert_card("company")


def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "m.joblib"
    assert refusal(str(path)) == f"{path} cannot be opened (No such file or directory)."
    path.write_bytes(b"nothing")
    assert refusal(str(path)).startswith(f"{path} cannot be used: it cannot be read (")
    path.write_bytes(b"0" * (8 * 2**20 + 1))
    assert refusal(str(path)) == f"{path} cannot be used: it is larger than 8 MiB."
    path.write_bytes(model_bytes(small_card()))
    path.with_suffix(".manifest.json").write_text("[]")
    assert refusal(str(path)) == f"{path} cannot be used: m.manifest.json beside it is no manifest."


def test_a_pickle_that_would_run_something_is_not_read(tmp_path):
    path = tmp_path / "m.joblib"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert "it names os.system, and only plain data is read" in refusal(str(path))


@pytest.mark.parametrize("name", ["", "nobody", "individual ", "zzzzzzzz", "x" * 500, "\x00", "deadbeefdeadbeef"])
def test_a_name_of_nothing(name):
    assert "is no model here: give the path of a .joblib file, the version" in refusal(name)
