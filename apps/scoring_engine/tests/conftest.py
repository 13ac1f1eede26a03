import pytest

from apps.scoring_engine.ml import risk_model
from apps.scoring_engine.tests.factories import lay_model_folder, model_bytes, put_model
from apps.scoring_engine.tests.fixed_card import fixed_card


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    """A folder of models that the whole process now serves from, with no model in it."""
    folder = lay_model_folder(tmp_path)
    monkeypatch.setattr(risk_model, "_SHELF", risk_model.Shelf(folder))
    return folder


@pytest.fixture
def fixed_model(model_folder):
    """The fixed card approved and in service for individuals; companies are scored by the expert card."""
    put_model(model_folder, model_bytes(fixed_card()))
    return model_folder
