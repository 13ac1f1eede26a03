"""A rollback by command is seen by the next scoring of every process that was running before it, none restarted.

Two web processes, and one that scores without a web server, as a worker does. How soon: benchmarks/rollback.py.
"""

import pytest

from tests.installation import Installation
from tests.registry import SHIPPED, RegisteredModels


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    yield made
    made.remove()


def test_every_process_sees_a_rollback_with_its_next_scoring(installation):
    models = RegisteredModels(installation)
    models.prepare()
    with models.running() as processes:
        assert models.answers() == [SHIPPED] * 3
        models.register("individual-9.0.0")
        assert models.answers() == [SHIPPED] * 3
        models.change("promote_model", "individual-9.0.0")
        assert models.answers() == ["individual-9.0.0"] * 3
        models.change("rollback_model", "individual")
        assert models.answers() == [SHIPPED] * 3
        models.change("retire_model", SHIPPED)
        assert models.answers() == ["expert/individual-1.0.0"] * 3
        models.change("promote_model", "individual-9.0.0")
        assert models.answers() == ["individual-9.0.0"] * 3
        assert [process.poll() for process in processes] == [None] * 3
    logged = installation.query("SELECT model_version FROM scoring_engine_predictionlog ORDER BY created_at")
    expected = [SHIPPED] * 6 + ["individual-9.0.0"] * 3 + [SHIPPED] * 3 + ["expert/individual-1.0.0"] * 3
    assert [version for (version,) in logged] == expected + ["individual-9.0.0"] * 3
