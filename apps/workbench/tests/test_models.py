"""The registry on screen: the points as the card has them, who may change what, and every refusal changes nothing."""

import json
from hashlib import sha256

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from django.utils.translation import override

from apps.audit.models import AuditEvent
from apps.scoring_engine.ml.cards import read_card
from apps.scoring_engine.ml.risk_model import shipped_model
from apps.scoring_engine.ml.tests.examples import wide_card
from apps.scoring_engine.models import ModelValidation, ModelVersion
from apps.scoring_engine.tests.factories import (
    draft,
    figures_for,
    make_prediction,
    model_bytes,
    put_in_service,
    validate,
)
from apps.scoring_engine.tests.fixed_card import fixed_card
from apps.workbench.card_tables import bin_texts, points_grids, points_tables
from apps.workbench.tests.rows import make_world, signed_in

INDIVIDUAL = shipped_model("individual")


def test_the_table_has_every_bin_of_the_card_with_its_points_and_training_rows():
    _, card, manifest = INDIVIDUAL
    tables = {table.feature: table for table in points_tables(card.to_dict(), manifest)}
    assert sorted(tables) == sorted(one.feature for one in card.characteristics)
    inquiries = tables["inquiries_6m"]
    assert [(line.label, line.points) for line in inquiries.lines] == [
        ("0", 21), ("1", 1), ("2", -3), ("3", -30), ("4", -41), ("5 to 6", -67), ("7 or more", -87), ("Not given", -3),
        ("The source was down", 0),
    ]  # fmt: skip
    assert inquiries.lines[0].share == 8784 / 20814
    assert inquiries.lines[0].bad_rate == 974 / 8784
    assert inquiries.direction == "Higher is riskier"
    for one in card.characteristics:
        assert [line.points for line in tables[one.feature].lines][: len(one.points)] == list(one.points)


def test_no_two_bins_look_alike():
    for segment in ("individual", "company"):
        card = read_card(shipped_model(segment)[1].to_dict())
        for language in ("en", "ru", "uz"):
            with override(language):
                for one in card.characteristics:
                    texts = bin_texts(card, one)
                    assert len(set(texts)) == len(texts) == len(one.points), (segment, language, one.feature, texts)


def test_bins_speak_the_language_of_the_page():
    card = read_card(INDIVIDUAL[1].to_dict())
    amount = next(one for one in card.characteristics if one.feature == "amount_to_income")
    years = next(one for one in card.characteristics if one.feature == "credit_history_years")
    expected = {
        "en": ("3.2 % to under 7.5 %", "under 3.5 years"),
        "ru": ("от 3,2 %, меньше 7,5 %", "меньше 3,5 года"),
        "uz": ("3,2 % dan, 7,5 % dan kam", "3,5 yil dan kam"),
    }
    for language, (second, first) in expected.items():
        with override(language):
            found = (bin_texts(card, amount)[1], bin_texts(card, years)[0])
            assert tuple(text.replace("\u00a0", " ") for text in found) == (second, first)


def test_a_pair_is_a_grid_of_its_points():
    grid, pair = points_grids(wide_card())[0], read_card(wide_card()).pairs[0]
    assert [points for _, points in grid.rows] == [list(points) for points in pair.points]
    assert len(grid.columns) == len(pair.points[0])


class RegistryTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()
        cls.analyst = cls.world.users["analyst"]

    def setUp(self):
        self.client = signed_in(self.analyst)

    def post(self, name, *, model=None, **given):
        return self.client.post(reverse(f"workbench:{name}", args=[model.id] if model else []), given)

    def refused(self, status, says, name, **given):
        """Nothing is written, and the page says why."""
        before = (AuditEvent.objects.count(), list(ModelVersion.objects.order_by("id").values("state", "since")))
        response = self.post(name, **given)
        assert response.status_code == status, response.content
        assert says in response.content.decode()
        assert before == (
            AuditEvent.objects.count(), list(ModelVersion.objects.order_by("id").values("state", "since"))
        )  # fmt: skip

    def files(self, card):
        content = model_bytes(card)
        manifest = json.dumps({"model": card["version"], "sha256": sha256(content).hexdigest()}).encode()
        return {
            "file": SimpleUploadedFile("model.joblib", content),
            "manifest": SimpleUploadedFile("model.manifest.json", manifest),
        }

    def test_a_model_is_registered_validated_by_another_and_promoted(self):
        model = draft(fixed_card())
        figures = SimpleUploadedFile("validation.json", json.dumps(figures_for(model)).encode())
        done = self.post("validate-model", model=model, figures=figures, passed="yes", comment="Looked at")
        assert (done.status_code, done["Location"]) == (303, f"/models/{model.id}/")
        validation = ModelValidation.objects.get()
        assert (validation.validator, validation.passed, validation.on_own_data) == (self.analyst, True, False)
        assert self.post("promote-model", model=model, reason="The better one").status_code == 303
        model.refresh_from_db()
        assert model.state == "champion"
        page = self.client.get("/models/").content.decode()
        assert "individual-9.0.0" in page
        assert "The better one" in page

    def test_a_file_is_registered_as_a_draft(self):
        assert self.post("register-model", **self.files(fixed_card())).status_code == 303
        model = ModelVersion.objects.get(version="individual-9.0.0")
        assert (model.state, model.made_by) == ("draft", self.analyst)

    def test_what_is_no_model_is_refused(self):
        self.refused(400, "Choose a file.", "register-model")
        given = self.files(fixed_card()) | {"manifest": SimpleUploadedFile("m.json", b"[1]")}
        self.refused(400, "It is not a file with a JSON object.", "register-model", **given)
        given = self.files(fixed_card()) | {"file": SimpleUploadedFile("model.joblib", b"cos\nsystem\n.")}
        self.refused(400, "The model is not registered", "register-model", **given)

    def test_who_registered_it_does_not_validate_it(self):
        model = draft(fixed_card(), maker=self.analyst)
        figures = SimpleUploadedFile("validation.json", json.dumps(figures_for(model)).encode())
        self.refused(403, "somebody else", "validate-model", model=model, figures=figures, passed="yes", comment="Mine")
        page = self.client.get(f"/models/{model.id}/").content.decode()
        assert "You registered this model" in page
        assert "validate-model" not in page
        assert 'name="figures"' not in page

    def test_refusals_change_nothing(self):
        model = draft(fixed_card())
        self.refused(409, "never validated", "promote-model", model=model, reason="Now")
        validate(model, self.world.users["approver"], passed=False)
        self.refused(409, "did not pass", "promote-model", model=model, reason="Now")
        self.refused(400, "Say why", "retire-model", model=model, reason=" ")
        self.refused(400, "Say whether it passed.", "validate-model", model=model)
        self.refused(400, "Choose people or companies.", "roll-back", segment="planets", reason="Now")
        self.refused(409, "nothing to go back to", "roll-back", segment="individual", reason="Now")

    def test_only_what_may_be_done_is_offered(self):
        model = ModelVersion.objects.get(segment="individual")
        actions = ("promote", "challenge", "retire", "validate")
        pages = {role: self.page(role, model) for role in self.world.users}
        offered = {role: [name for name in actions if f"/{name}/" in page] for role, page in pages.items()}
        of_others = {role: [] for role in ("officer", "approver", "auditor")}
        assert offered == {**of_others, "analyst": ["retire", "validate"], "administrator": ["retire"]}

    def page(self, role, model):
        return signed_in(self.world.users[role]).get(f"/models/{model.id}/").content.decode()

    def test_the_challenger_is_compared_for_analysts_and_auditors_only(self):
        put_in_service(fixed_card())
        put_in_service(fixed_card(version="individual-9.1.0", base_points=350), "challenger")
        for number in range(3):
            make_prediction(cause=str(number))
        said = "Of the newest 3 scorings that both made"
        seen = {
            role: (said in page, "Challenger: " in page)
            for role, user in self.world.users.items()
            for page in [signed_in(user).get("/models/").content.decode()]
        }
        assert {role for role, found in seen.items() if found[0]} == {"analyst", "auditor"}
        page = self.client.get("/models/").content.decode()
        assert "differs by +50.0 points" in page

    def test_how_many_queries_a_page_takes(self):
        with self.assertNumQueries(7):
            self.client.get("/models/")
        model = ModelVersion.objects.get(segment="individual")
        with self.assertNumQueries(6):
            self.client.get(f"/models/{model.id}/")
