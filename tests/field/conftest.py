"""The fixtures of the field suite: those of the fault suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.conftest import (  # noqa: F401
    _asyncio_has_no_complaints,
    flavour,
    key,
    make_client,
    make_simple_client,
    observer,
    own_server,
    patient,
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
from integration.certificates import Certificates

from .running import FieldServer


@pytest.fixture(scope="session")
def field_servers() -> Iterator[dict[str, FieldServer]]:
    """The servers that tests have started, by a name for each."""
    running: dict[str, FieldServer] = {}
    yield running
    for each in running.values():
        each.close()


@pytest.fixture
def trusted(tls: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:  # noqa: F811
    """Certificates that programs trust in processes of their own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls.ca)
    monkeypatch.setenv("SSL_CERT_FILE", tls.ca)
    return tls
