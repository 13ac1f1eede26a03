"""PostgreSQL as Django speaks it, but for how a kept connection is tested before each request."""

from select import POLLIN, poll

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Without a question, which would cost each request a round trip: a server that ended a connection has closed
        its socket, so there is an end to read, and nothing is ever sent to an idle one otherwise.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = poll()
        waiting.register(self.connection.fileno(), POLLIN)
        return not waiting.poll(0)
