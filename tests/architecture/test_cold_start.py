"""Scoring must stay light to import: a script that scores once pays for nothing that learns or serves."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["joblib", "pandas", "numpy", "scipy", "sklearn", "lightgbm", "pyarrow", "numba", "django"]
SCRIPT = f"""
import json, sys
from apps.scoring_engine.ml.risk_model import describe_model, predict_company_risk, predict_individual_risk
facts = {{"yearly_income": 50000, "existing_debt": 5000, "requested_amount": 10000, "credit_history_score": 650}}
score, explanation, version = predict_individual_risk(facts)
reference = describe_model(version)["reference_score"]
predict_company_risk({{"revenue": 900, "net_income": 40, "assets": 700, "liabilities": 300}})
loaded = [name for name in {HEAVY} if name in sys.modules]
learning = [name for name in sys.modules if ".learning" in name]
print(json.dumps([loaded, learning, score - reference - sum(e["impact"] for e in explanation)]))
"""


def test_one_score_from_a_cold_process_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [[], [], 0]
