"""The cache that the processes share: Redis, with its client kept. Silence is told as what it is."""

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NotAnswered

from apps.common.errors import CacheUnreachable
from apps.common.sentences import Sentence


class Asked(Redis):
    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """Raises CacheUnreachable."""
        try:
            return super().execute_command(*arguments, **options)
        except (NotConnected, NotAnswered) as error:
            raise CacheUnreachable(
                Sentence(
                    "Redis, which the processes of this installation share, does not answer. Try again; if it stays "
                    "so, tell the operator."
                )
            ) from error


class KeptClient(RedisCacheClient):
    """Django makes a client anew for each call, which takes longer than the call itself; one serves all threads."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._client = Asked
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: str | None = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class SharedCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient
