"""What tests find in the database when they look past the models."""

from django.db import connection

from apps.common.database import drop_trigger
from apps.common.guards import set_key_guard
from apps.common.models import DataKey


def everything_stored() -> bytes:
    """Every column of every row of every table, as bytes."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                found += b"|".join(bytes(v) if isinstance(v, memoryview | bytes) else str(v).encode() for v in row)
    return found


def tamper_with(key: DataKey) -> None:
    """Another byte in what is wrapped, past the trigger that would refuse it."""
    drop_trigger(connection, "common_datakey_kept", "common_datakey")
    wrapped = bytes(key.wrapped)
    DataKey.objects.filter(id=key.id).update(wrapped=wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    set_key_guard(connection)
