"""The rules of the house, read off the source itself."""

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
SOURCES = [
    path
    for folder in ("apps", "config", "tasks")
    for path in sorted((BASE / folder).rglob("*.py"))
    if not {"migrations", "tests"} & set(path.parts)
]
TREES = {path.relative_to(BASE): ast.parse(path.read_text()) for path in SOURCES}
JOB_RUNNER = Path("apps/common/background.py")


def functions() -> list[tuple[str, int]]:
    """(place, number of lines) of every function, decorators not counted."""
    return [
        (f"{path}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_functions_are_short():
    lengths = sorted(lines for _, lines in functions())
    assert [place for place, lines in functions() if lines > 50] == []
    assert median(lengths) <= 10
    assert lengths[int(len(lengths) * 0.9)] < 30


def test_files_are_under_400_lines():
    long = {str(path): count for path in SOURCES if (count := len(path.read_text().splitlines())) >= 400}
    assert long == {}


def test_there_are_no_files_for_anything_and_everything():
    assert [str(path) for path in SOURCES if path.stem in ("utils", "helpers", "misc", "signals")] == []


def test_everything_is_caught_in_one_place_only():
    broad = [
        path
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or {"Exception", "BaseException"} & {part.id for part in _names(node.type)})
    ]
    assert broad == [JOB_RUNNER]


def _names(node: ast.AST) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name)]


def test_models_do_their_work_in_services():
    """No save() or delete() of our own, and no signal handlers but the one that keeps Celery off the logging."""
    overrides = [
        f"{path} {item.name}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and path.name == "models.py"
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name in ("save", "delete")
    ]
    assert overrides == []
    assert [
        str(p)
        for p in TREES
        if "django.dispatch" in (BASE / p).read_text() or "db.models.signals" in (BASE / p).read_text()
    ] == []


def queued_names() -> set[str]:
    """Every name that the source passes to background.enqueue, and every job that beat starts."""
    names = set()
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "enqueue":
                names |= _spelled_out(node.args[0])
    return names


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _spelled_out(name: ast.expr) -> set[str]:
    if isinstance(name, ast.Constant):
        return {name.value}
    if isinstance(name, ast.JoinedStr):  # f"refresh_{source}_record": one for each source
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in name.values]
        return {"".join(parts).format(source) for source in settings.EXTERNAL_SOURCES}
    return set()  # start_job(name), which beat calls: looked at below


def test_every_queued_name_is_a_task():
    from tasks import tasks

    names = queued_names()
    assert {"refresh_soliq_record", "refresh_kadastr_record", "rescore_applicant_requests"} <= names
    assert [name for name in names if not hasattr(tasks, name)] == []


def test_everything_that_beat_starts_is_a_task():
    from config.celery import app
    from tasks import tasks

    for entry in app.conf.beat_schedule.values():
        assert hasattr(tasks, entry["task"].removeprefix("tasks.tasks."))
        assert all(hasattr(tasks, name) for name in entry.get("args", []))
    assert "cleanup-prediction-logs" not in app.conf.beat_schedule


@pytest.mark.parametrize(
    "name",
    [
        "refresh_soliq_record",
        "refresh_kadastr_record",
        "refresh_stale_external_records",
        "rescore_pending_credit_requests",
        "cleanup_prediction_logs",
    ],
)
def test_the_tasks_of_old_keep_their_names(name):
    from tasks import tasks

    assert getattr(tasks, name).name == f"tasks.tasks.{name}"


def test_rooms_import_downwards_only():
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=BASE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]


def test_lock_files_name_no_address():
    locks = sorted((BASE / "requirements").iterdir())
    assert [lock.name for lock in locks] == [
        "base.in",
        "base.txt",
        "bench.in",
        "bench.txt",
        "dev.in",
        "dev.txt",
        "pdf.in",
        "pdf.txt",
        "prod.in",
        "prod.txt",
    ]
    assert [lock.name for lock in locks if "://" in lock.read_text()] == []


def test_every_locked_package_has_hashes():
    for lock in (BASE / "requirements").glob("*.txt"):
        entries = lock.read_text().replace("\\\n", " ").splitlines()
        assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []
