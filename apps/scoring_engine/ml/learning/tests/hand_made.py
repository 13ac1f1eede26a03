"""A card made by hand for the loans of tables.py, written as training writes a model."""

import hashlib
import json
from pathlib import Path
from typing import Any

import joblib

from apps.scoring_engine.ml.vocabulary import as_input

from .tables import loans, recipe_text

SETTINGS = "fairness = ['sex']\nsegments = ['branch']\n"
GATES = "\n[gates]\nauc_at_least = 0.6\npsi_at_most = 0.25\n"


def card(recipe_sha256: str = "", data_sha256: str = "") -> dict[str, Any]:
    return {
        "format": 1, "segment": "individual", "version": "small-1.0.0", "purpose": "own",
        "definition_of_bad": "bad in the table", "horizon": {"kind": "fixed", "months": 12},
        "points_to_double_odds": 50, "base_points": 540, "reference": "all_applicants",
        "inputs": [as_input("individual", "yearly_income", required=True),
                   as_input("individual", "requested_amount", required=True),
                   as_input("individual", "inquiries_6m"), as_input("individual", "purpose")],
        "features": [{"name": "amount_to_income", "kind": "ratio", "of": ["requested_amount", "yearly_income"],
                      "multiplier": 1, "least": 0, "most": 10}],
        "characteristics": [
            _entry("amount_to_income", "Amount to income", "percent", "higher_is_riskier", edges=[0.2, 0.4],
                   points=[50, 0, -50], missing_points=-50),
            _entry("inquiries_6m", "Inquiries", "count", "higher_is_riskier", edges=[1, 2], points=[30, 5, -25],
                   missing_points=-25),
            _entry("purpose", "Purpose", "category", "free", groups=[["car", "wedding", "other"], ["medical"]],
                   points=[15, -50], missing_points=-50, unseen_points=-50),
        ],
        "pairs": [{
            "features": ["amount_to_income", "inquiries_6m"], "label": "Amount and inquiries", "code": "A_X_I",
            "axes": [{"edges": [0.3]}, {"edges": [2]}], "points": [[4, 0], [0, -6]], "missing_points": -6,
            "unavailable_points": 0, "reference_points": 0, "directions": ["higher_is_riskier", "higher_is_riskier"],
        }],
        "provenance": {
            "title": "A made-up table", "origin": "numbers drawn for a test", "population": "nobody",
            "data": [{"name": "data", "file": "loans.csv", "sha256": data_sha256, "rows": 0}],
            "recipe": {"file": "recipe.toml", "sha256": recipe_sha256},
        },
    }  # fmt: skip


def written(folder: Path, *, rows: int = 4000, holdout: float = 0.0, changes: Any = None,
            manifest: dict[str, Any] | None = None) -> tuple[Path, Path]:  # fmt: skip
    """(model, data) as files; `changes` may change the card before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    table = loans(rows)
    table["sex"] = ["female" if k % 5 < 2 else "other" if k % 100 == 4 else "male" for k in range(rows)]
    table["branch"] = ["north" if k % 3 else "south" for k in range(rows)]
    data, model = folder / "loans.csv", folder / "individual_model.joblib"
    recipe = recipe_text(holdout=holdout).replace("seed = 7\n", f"seed = 7\n{SETTINGS}") + GATES
    table.to_csv(data, index=False)
    (folder / "individual_model.recipe.toml").write_text(recipe)
    made = card(hashlib.sha256(recipe.encode()).hexdigest(), hashlib.sha256(data.read_bytes()).hexdigest())
    if changes:
        changes(made)
    joblib.dump(made, model, compress=0, protocol=4)
    if manifest is not None:
        sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
        (folder / "individual_model.manifest.json").write_text(json.dumps({"sha256": sha256, **manifest}))
    return model, data


def _entry(feature: str, label: str, unit: str, direction: str, **rest: Any) -> dict[str, Any]:
    return {"feature": feature, "label": label, "unit": unit, "direction": direction, "code": feature.upper(),
            "unavailable_points": 0, "reference_points": 0, "typical": None, "special_points": {}, **rest}  # fmt: skip
