"""The fixtures of the field suite: those of the fault suite."""

from __future__ import annotations

from faults.conftest import (  # noqa: F401
    _asyncio_has_no_complaints,
    _leaks_are_reported_with_their_module,
    flavour,
    key,
    make_client,
    make_simple_client,
    observer,
    own_server,
    proxy,
    pytest_collection_finish,
    pytest_configure,
    pytest_generate_tests,
    recorder,
    server,
    servers,
    tls,
    transport,
)
