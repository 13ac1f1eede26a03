"""Many requests to look at: the applicants of the demo portfolio over and over, each copy with everything that hangs on
it (records, scorings, decisions, events), under ids, keys and seals of its own, and at another time.
"""

import json
import random
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models, transaction

from apps.common.crypto import OpenKey, draw_key, open_key
from apps.common.inserting import insert_rows
from apps.credit_requests.guards import lift_decision_guards, set_decision_guards
from apps.credit_requests.tests.factories import status_guard_lifted
from apps.credit_requests.transitions import UNDECIDED

# In the order in which they are written. Keys that point both ways are checked at the end of the transaction.
TABLES = (
    "individuals.Individual", "companies.Company", "companies.FinancialStatement", "common.NameWord",
    "external_integrations.Consent", "external_integrations.ExternalRecord",
    "external_integrations.ExternalRecordVersion", "scoring_engine.PredictionLog", "credit_requests.CreditRequest",
    "credit_requests.CreditRequest_external_records", "credit_requests.RegisterAnswer", "credit_requests.Override",
    "credit_requests.Decision", "audit.AuditEvent",
)  # fmt: skip
SEALED = {
    "individual": ("sealed",), "company": ("sealed",), "consent": ("sealed",), "externalrecord": ("sealed",),
    "externalrecordversion": ("sealed",), "predictionlog": ("sealed",), "registeranswer": ("sealed",),
    "override": ("sealed", "closing"), "decision": ("sealed",),
}  # fmt: skip
CONTEXTS = {
    "externalrecord": "external_record", "externalrecordversion": "external_record_version",
    "predictionlog": "prediction_log", "registeranswer": "register_answer",
}  # fmt: skip
UNIQUE = ("pinfl_index", "tax_id_index", "key_index")
EVENTS = ("credit_request.create", "credit_request.score")
# Most requests are decided, and were so within two years; those that wait have come within two months.
DECIDED_COPIES, DECIDED_DAYS, UNDECIDED_DAYS, LOGS = 40, 700, 60, 2
AT_ONCE = 2_000  # families


class Row(NamedTuple):
    """What of a row's values is other in a copy: ids, moments, unique texts, seals (text, context), documents."""

    values: list[Any]
    ids: list[tuple[int, UUID | str]]
    moments: list[int]
    unique: list[int]
    seals: list[tuple[int, bytes, str]]
    documents: list[tuple[int, str]]


class Family(NamedTuple):
    """An applicant and what hangs on them. keys: their own, and those of their parcels."""

    keys: list[UUID]
    ids: list[UUID]
    rows: dict[str, list[Row]]
    requests: int
    days: int


def build(requests: int) -> dict[str, int]:
    """At least so many requests, and twice as many scorings, in the database that the settings name."""
    call_command("demo", "--no-serve", stdout=StringIO())
    families = [family for family in _families() if family.requests]
    draw, made = random.Random(7), 0  # noqa: S311
    with status_guard_lifted():
        lift_decision_guards(connection)
        while made < requests:
            wave = draw.choices(families, [_weight(family) for family in families], k=AT_ONCE)
            with transaction.atomic():
                _write(wave, draw)
            made += sum(family.requests for family in wave)
        set_decision_guards(connection)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")
    return {name.rpartition(".")[2]: apps.get_model(name).objects.count() for name in TABLES}


def _weight(family: Family) -> int:
    return DECIDED_COPIES if family.days == DECIDED_DAYS else 1


# --- What there is --------------------------------------------------------------------------------------------


def _families() -> Iterator[Family]:
    for name, kind in (("individuals.Individual", "individual"), ("companies.Company", "company")):
        for applicant in apps.get_model(name).objects.filter(is_demo=True).select_related("data_key"):
            yield _family(applicant, kind)


def _family(applicant: models.Model, kind: str) -> Family:
    requests = list(apps.get_model("credit_requests.CreditRequest").objects.filter(**{kind: applicant}))
    of_requests = {"credit_request__in": requests}
    records = list(
        apps.get_model("external_integrations.ExternalRecord").objects.filter(credit_requests__in=requests).distinct()
    )
    found = {
        "FinancialStatement": {"company": applicant.id},
        "NameWord": {"data_key": applicant.data_key},
        "Consent": {"data_key": applicant.data_key},
        "ExternalRecordVersion": {"id__in": [record.current_id for record in records]},
        "CreditRequest_external_records": {"creditrequest__in": requests},
        "RegisterAnswer": of_requests,
        "Override": of_requests,
        "Decision": of_requests,
        "AuditEvent": {"subject_id__in": [str(request.id) for request in requests], "action__in": EVENTS},
    }
    found = {name: list(_model(name).objects.filter(**chosen)) for name, chosen in found.items()}
    logs = [log for request in requests for log in _logs(request)]
    found |= {applicant._meta.object_name: [applicant], "ExternalRecord": records}
    found |= {"CreditRequest": requests, "PredictionLog": logs}
    keys = {row.data_key for rows in found.values() for row in rows if hasattr(row, "data_key")}
    ids = {row.pk for rows in found.values() for row in rows if isinstance(row.pk, UUID)}
    opened = {key.id: open_key(key) for key in keys}
    rows = {name: [_row(row, ids | opened.keys(), opened) for row in rows] for name, rows in found.items()}
    decided = requests and not any(request.status in UNDECIDED for request in requests)
    return Family([*opened], [*ids], rows, len(requests), DECIDED_DAYS if decided else UNDECIDED_DAYS)


def _model(name: str) -> type[models.Model]:
    return next(apps.get_model(full) for full in TABLES if full.endswith(f".{name}"))


def _logs(request: models.Model) -> list[models.Model]:
    """The newest scoring and those before it; a request that was scored too seldom has its first one again."""
    logs = list(_model("PredictionLog").objects.filter(request_id=request.id, role="champion").order_by("-created_at"))
    logs.sort(key=lambda log: log.id != request.prediction_id)
    for number in range(LOGS - len(logs)):
        again = _model("PredictionLog").objects.get(id=logs[-1].id)
        again.cause, again.again = f"copy:{number}", True
        logs.append(again)
    return logs[:LOGS]


def _row(row: models.Model, ids: set[UUID], opened: dict[UUID, OpenKey]) -> Row:
    plan = Row([], [], [], [], [], [])
    for place, field in enumerate(_fields(type(row))):
        value = getattr(row, field.attname)
        plan.values.append(value)
        if field.primary_key and getattr(row, "again", False):
            plan.ids.append((place, "new"))
        elif (isinstance(value, UUID) and value in ids) or field.attname == "subject_id":
            plan.ids.append((place, value))
        elif isinstance(value, datetime):
            plan.moments.append(place)
        elif field.name in UNIQUE:
            plan.unique.append(place)
        elif field.name in SEALED.get(row._meta.model_name, ()) and value is not None:
            suffix = "_closing" if field.name == "closing" else ""
            context = f"{CONTEXTS.get(row._meta.model_name, row._meta.model_name)}{suffix}"
            plan.seals.append((place, opened[row.data_key_id].plain(bytes(value), f"{context}:{row.pk}"), context))
        elif isinstance(field, models.JSONField):
            plan.documents.append((place, json.dumps(value)))
    return plan


def _fields(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


# --- Copies ---------------------------------------------------------------------------------------------------


def _write(wave: list[Family], draw: random.Random) -> None:
    rows: dict[str, list[list[Any]]] = {name.rpartition(".")[2]: [] for name in TABLES}
    keys: list[OpenKey] = []
    for family in wave:
        back = timedelta(seconds=draw.randrange(family.days * 86_400))
        drawn = {old: draw_key() for old in family.keys}
        keys += drawn.values()
        fresh = {old: uuid4() for old in family.ids} | {old: key.id for old, key in drawn.items()}
        for name, plans in family.rows.items():
            rows[name] += (_copied(plan, name, fresh, drawn, back) for plan in plans)
    now = rows["AuditEvent"][0][0]
    columns = ("id", "owner_index", "key_id", "wrapped", "created_at")
    _insert(apps.get_model("common.DataKey"), columns, [_key_row(key, now) for key in keys])
    for name in TABLES:
        model = apps.get_model(name)
        _insert(model, tuple(field.attname for field in _fields(model)), rows[name.rpartition(".")[2]])


def _key_row(key: OpenKey, now: datetime) -> tuple:
    return key.id, secrets.token_hex(32), key.key_id, key.wrapped, now


def _copied(plan: Row, name: str, fresh: dict[Any, UUID], drawn: dict[UUID, OpenKey], back: timedelta) -> list[Any]:
    values = list(plan.values)
    key = drawn.get(values[_place(name, "data_key_id")]) if plan.seals else None
    for place, old in plan.ids:
        values[place] = uuid4() if old == "new" else str(fresh[UUID(old)]) if isinstance(old, str) else fresh[old]
    for place in plan.moments:
        values[place] -= back
    for place in plan.unique:
        values[place] = secrets.token_hex(32)
    for place, text, context in plan.seals:
        values[place] = key.seal_text(text.decode(), f"{context}:{values[_place(name, 'id')]}")
    for place, text in plan.documents:
        values[place] = json.loads(text)
    return values


_places: dict[tuple[str, str], int] = {}


def _place(name: str, column: str) -> int:
    if (name, column) not in _places:
        _places[name, column] = [field.attname for field in _fields(_model(name))].index(column)
    return _places[name, column]


def _insert(model: type[models.Model], columns: tuple[str, ...], rows: list[Any]) -> None:
    """With the times that the rows have: the ORM would put its own into columns that note when a row was made."""
    if connection.vendor == "postgresql":
        insert_rows(model, columns, rows)
        return
    fields = [model._meta.get_field(column) for column in columns]
    places, names = ", ".join(["%s"] * len(fields)), ", ".join(field.column for field in fields)
    prepared = ([f.get_db_prep_save(v, connection) for f, v in zip(fields, row, strict=True)] for row in rows)
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({places})", list(prepared))  # noqa: S608
