"""What connect() remembers of its arguments, and what it refuses, before anything is sent."""

from __future__ import annotations

import logging

import pytest

from socketio import AsyncClient, AsyncClientNamespace, Client, ClientNamespace, connect_arguments
from socketio.exceptions import InvalidURLError

both = pytest.mark.parametrize("client_class", [Client, AsyncClient])
DEFAULTS = {
    "headers": {},
    "auth": None,
    "transports": None,
    "namespaces": None,
    "socketio_path": "socket.io",
    "wait": True,
    "wait_timeout": 20,
}


def remember(client, url="http://localhost:5000", **arguments):
    connect_arguments.store_connect_arguments(client, url, **{**DEFAULTS, **arguments})
    return client


def namespace_class(client_class):
    return AsyncClientNamespace if client_class is AsyncClient else ClientNamespace


@both
def test_all_arguments_are_remembered(client_class):
    """URL, headers, auth, transports, namespaces and path are kept for later attempts. (C1)"""

    def auth(): ...

    client = remember(
        client_class(),
        "http://localhost:5000?a=1",
        headers={"X": "1"},
        auth=auth,
        transports=["websocket"],
        namespaces=["/a", "/b"],
        socketio_path="path",
    )
    assert (client.connection_url, client.connection_headers) == ("http://localhost:5000?a=1", {"X": "1"})
    assert (client.connection_auth, client.connection_transports) == (auth, ["websocket"])
    assert (client.connection_namespaces, client.socketio_path) == (["/a", "/b"], "path")


@both
def test_functions_are_remembered_as_functions(client_class):
    """A url, headers or auth function is kept, and not asked yet. (C2)"""

    def never():
        raise AssertionError("asked too early")

    client = remember(client_class(), never, headers=never, auth=never)
    assert (client.connection_url, client.connection_headers, client.connection_auth) == (never, never, never)


# -- namespaces


@both
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/a", ["/a"]),
        (["/b", "/", "/a"], ["/b", "/", "/a"]),
        (("/b", "/a"), ["/b", "/a"]),
        (["/a", "/b", "/a"], ["/a", "/b"]),
        ("/a?token=x", ["/a?token=x"]),
        ("/räume-1", ["/räume-1"]),
    ],
)
def test_namespaces_are_a_name_or_a_list(client_class, given, kept):
    """One name or several; their order is kept, and each is there once. (C3, M33)"""
    assert remember(client_class(), namespaces=given).connection_namespaces == kept


@both
def test_the_list_of_the_caller_is_copied(client_class):
    """A list that changes later changes nothing here. (N2)"""
    names = ["/a"]
    client = remember(client_class(), namespaces=names)
    names.append("/b")
    assert client.connection_namespaces == ["/a"]


@both
def test_by_default_namespaces_with_handlers_are_connected(client_class):
    """Without an argument these are the namespaces that have functions or objects, '*' aside. (C4)"""
    client = client_class()
    client.on("a", print, namespace="/x")
    client.on("b", print)
    client.on("*", print, namespace="*")
    client.register_namespace(namespace_class(client_class)("/room"))
    client.register_namespace(namespace_class(client_class)("*"))
    assert remember(client).connection_namespaces == ["/x", "/", "/room"]


@both
def test_without_handlers_the_root_is_connected(client_class):
    """Without an argument and without handlers, or with those of '*' only, it is '/'. (C5)"""
    client = client_class()
    assert remember(client).connection_namespaces == ["/"]
    client.on("a", print, namespace="*")
    assert remember(client).connection_namespaces == ["/"]


@both
@pytest.mark.parametrize("namespaces", ["chat", "*", "", ["/a", "b"], ["/a", None], [5], ["/a", "*"], "/\ud800"])
def test_a_namespace_that_cannot_exist_is_refused(client_class, namespaces):
    """A namespace without a slash, or none that a frame can carry, is a ValueError; nothing is remembered. (C3)"""
    client = client_class()
    with pytest.raises(ValueError):
        remember(client, namespaces=namespaces)
    assert client.connection_url is None
    assert client.connection_namespaces == []


# -- what can never work


@both
@pytest.mark.parametrize("url", ["localhost:5000", "ftp://a", "", None, 5])
def test_a_bad_url_is_refused_at_once(client_class, url):
    """A URL that nobody can connect to is refused before any attempt, and nothing is remembered. (C6)"""
    client = client_class()
    with pytest.raises(InvalidURLError):
        remember(client, url)
    assert client.connection_url is None


@both
@pytest.mark.parametrize("transports", [[], "flash", ["a", "b"]])
def test_no_valid_transport_is_refused_at_once(client_class, transports):
    """Where no transport is left, there is a ValueError, and nothing is remembered. (M1)"""
    client = client_class()
    with pytest.raises(ValueError, match="transports"):
        remember(client, transports=transports)
    assert client.connection_url is None


@both
def test_what_is_refused_leaves_the_arguments_before(client_class):
    """A call that is refused does not change what the client has. (C1, M15)"""
    client = remember(client_class(), "http://a", namespaces="/a")
    with pytest.raises(ValueError):
        remember(client, "http://b", namespaces="b")
    assert (client.connection_url, client.connection_namespaces) == ("http://a", ["/a"])


# -- the URL


class Recording(logging.Handler):
    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


@both
def test_a_path_in_the_url_is_warned_of_once(client_class):
    """A path in the URL has no meaning, which is said once in a client's life; a query is no path. (M3)"""
    handler = Recording()
    logger = logging.Logger("test_connect_arguments")
    logger.addHandler(handler)
    client = client_class(logger=logger)
    assert connect_arguments.url_of_attempt(client, "http://a/?q=/x") == "http://a/?q=/x"
    assert handler.messages == []
    for _ in range(2):
        assert connect_arguments.url_of_attempt(client, "http://a/some/path?q=1") == "http://a/some/path?q=1"
    assert len(handler.messages) == 1
    assert "some/path" in handler.messages[0]
