"""Django's cache in Redis, with one client kept for each pool: making one costs more than most questions asked of it."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _KeptClient(RedisCacheClient):
    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._kept: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        # The stubs leave out what Django's own `get_client` is made of. A client only holds its pool, which knows threads
        # and forks.
        own: Any = self
        index = own._get_connection_pool_index(write)
        if index not in self._kept:
            self._kept[index] = own._client(connection_pool=own._get_connection_pool(write))
        return self._kept[index]


class KeptRedisCache(RedisCache):
    """Django's Redis cache; the same settings and behavior."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient
