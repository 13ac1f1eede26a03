"""What tests find in the database when they look past the models."""

from django.db import connection


def everything_stored() -> bytes:
    """Every column of every row of every table, as bytes."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                found += b"|".join(bytes(v) if isinstance(v, memoryview | bytes) else str(v).encode() for v in row)
    return found
