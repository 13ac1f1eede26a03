"""Reads that every call makes: their SQL is compiled once, where Django would compile it each time, at over 1 ms."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

_VALUE = "the value asked for"


class CompiledRead:
    """Rows of `columns` where one value is given. `build` makes the query for such a value, which is asked for once.

    `first`, on PostgreSQL: a statement that is run before it, in the same round trip.
    """

    def __init__(self, build: Callable[[str], models.QuerySet], columns: Sequence[str], first: str = "") -> None:
        self.build, self.columns, self.first = build, columns, first
        self._compiled = cache(self._compile)

    def _compile(self, vendor: str) -> tuple[str, tuple[Any, ...], dict[int, tuple[list[Callable], Any]]]:
        compiler = self.build(_VALUE).values_list(*self.columns).query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        return sql, tuple(params), compiler.get_converters([column for column, _, _ in compiler.select])

    def _cursor(self) -> CursorWrapper:
        # Two statements of one round trip cannot be planned ahead.
        return connection.cursor() if self.first or connection.vendor != "postgresql" else connection.planned_cursor()

    def rows(self, value: str) -> list[list[Any]]:
        sql, params, converters = self._compiled(connection.vendor)
        given = [value if param == _VALUE else param for param in params]
        with self._cursor() as cursor:
            if self.first and connection.vendor == "postgresql":
                cursor.execute(f"{self.first}; {sql}", given)
                cursor.nextset()
            else:
                cursor.execute(sql, given)
            rows = [list(row) for row in cursor.fetchall()]
        for row in rows:
            for place, (steps, expression) in converters.items():
                for convert in steps:
                    row[place] = convert(row[place], expression, connection)
        return rows


def columns_of(model: type[models.Model], *, without: Sequence[str] = ()) -> list[str]:
    """What `model.from_db` takes the values of."""
    return [field.attname for field in model._meta.concrete_fields if field.attname not in without]
