"""PostgreSQL as Django speaks it, with kept connections that cost each request less."""

from select import POLLIN, poll
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

_PLANNED = "planned"


class DatabaseWrapper(base.DatabaseWrapper):
    def planned_cursor(self) -> CursorWrapper:
        """One whose statements the server reads and plans once a connection, not at each call. One statement a call."""
        return self._cursor(_PLANNED)

    def create_cursor(self, name: str | None = None) -> Any:
        return base.ServerBindingCursor(self.connection) if name == _PLANNED else super().create_cursor(name)

    def is_usable(self) -> bool:
        """Without a question, which would cost each request a round trip: a server that ended a connection has closed
        its socket, so there is an end to read, and nothing is ever sent to an idle one otherwise.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = poll()
        waiting.register(self.connection.fileno(), POLLIN)
        return not waiting.poll(0)
