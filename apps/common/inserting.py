"""New rows in few statements, past the ORM's save(): some of several tables together, or many tuples of one table."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models


@cache
def _insertion(model: type[models.Model], vendor: str) -> tuple[str, tuple[models.Field, ...]]:
    """The statement that inserts one row, and the fields that it takes values of."""
    fields = tuple(field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    # Names of our own tables and columns; values are bound.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})", fields  # noqa: S608


def insert_together(*rows: models.Model) -> None:
    """In the order given, in one round trip on PostgreSQL. Keys that the database makes are not read back."""
    # Itself, not the proxy of it, which every field would ask several things: that took longer than all the rest.
    opened = connections[DEFAULT_DB_ALIAS]
    statements, values = [], []
    for row in rows:
        statement, fields = _insertion(type(row), opened.vendor)
        statements.append(statement)
        values.append([field.get_db_prep_save(field.pre_save(row, True), opened) for field in fields])
        row._state.adding = False
    with opened.cursor() as cursor:
        if opened.vendor == "postgresql":
            cursor.execute("; ".join(statements), [value for of_row in values for value in of_row])
            return
        for statement, of_row in zip(statements, values, strict=True):
            cursor.execute(statement, of_row)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Many of one model, as tuples: by COPY on PostgreSQL, where checks, keys and triggers hold as for an INSERT.

    `columns` by attribute ("actor_id"); those left out are null.
    """
    if connection.vendor != "postgresql":
        made = (model(**dict(zip(columns, row, strict=True))) for row in rows)
        model._default_manager.bulk_create(made)
        return
    fields = [model._meta.get_field(column) for column in columns]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    statement = f"COPY {model._meta.db_table} ({names}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        # Without its length: "varchar(3)" is kept by the column itself.
        copy.set_types([field.db_type(connection).partition("(")[0] for field in fields])
        for row in rows:
            copy.write_row(row)
