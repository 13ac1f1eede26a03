"""Asks JPMML, which knows nothing of this project, for the scores of PMML files: cards by name in, answers out (JSON).

A process of its own, because a Java machine inside a test process takes over its signals.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from jpmml_evaluator import LoadingModelEvaluatorBuilder
from jpmml_evaluator.jpype import JPypeBackend


def answers(backend: JPypeBackend, file: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    evaluator = LoadingModelEvaluatorBuilder(backend).loadFile(file).build()
    columns = [field.name for field in evaluator.getInputFields()]
    table = pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=columns, dtype=object)
    return evaluator.evaluateAll(table).to_dict("records")


def main(folder: Path) -> None:
    backend = JPypeBackend()
    for file in sorted(folder.glob("*.pmml")):
        rows = json.loads(file.with_suffix(".rows.json").read_text())
        file.with_suffix(".answers.json").write_text(json.dumps(answers(backend, str(file), rows)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
