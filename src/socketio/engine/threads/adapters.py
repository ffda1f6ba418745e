"""What the adapters of a ``requests`` session do with a URL.

In: a session and a URL. Out: the pool from which the session's own adapter takes connections, whatever it demands of a
server. A plain adapter has no rules beside the session's options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

_OF_POOLS = {"maxsize", "block"}
"""What a plain adapter gives to its pools."""


def has_rules(http: requests.Session, url: str) -> bool:
    """Return whether the adapter for an https URL may demand more of a server than the session's options."""
    adapter: Any = http.get_adapter(url)
    return type(adapter) is not HTTPAdapter or not set(adapter.poolmanager.connection_pool_kw) <= _OF_POOLS


def pool_of(
    http: requests.Session, url: str, verify: bool | str | None, proxies: Mapping[str, Any] | None = None
) -> Any:
    """Return the pool from which the session's adapter takes connections for a URL.

    :param verify: what ``requests`` calls so; ``None`` to let the session decide.
    :param proxies: those of the one request, before the session's.
    """
    adapter: Any = http.get_adapter(url)
    settings = http.merge_environment_settings(url, dict(proxies or {}), None, verify, None)
    return adapter.get_connection_with_tls_context(
        requests.Request("GET", url).prepare(),
        settings["verify"],
        proxies=settings["proxies"],
        cert=settings["cert"],
    )


def pools_of(http: requests.Session) -> list[Any]:
    """Return what keeps the pools of a session by key, one for each adapter and proxy."""
    managers: list[Any] = []
    for adapter in http.adapters.values():
        managers += [getattr(adapter, "poolmanager", None), *getattr(adapter, "proxy_manager", {}).values()]
    return [manager.pools for manager in managers if manager is not None]
