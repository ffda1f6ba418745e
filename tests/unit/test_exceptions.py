"""The errors of the package, and who is whose ancestor."""

from __future__ import annotations

import builtins

import pytest

from socketio import exceptions
from socketio.exceptions import (
    BadNamespaceError,
    CallInterruptedError,
    ConnectionError,
    ConnectionRefusedError,
    DisconnectedError,
    InvalidURLError,
    SocketIOError,
    TimeoutError,
)

TREE = {
    SocketIOError: (Exception,),
    ConnectionError: (SocketIOError,),
    ConnectionRefusedError: (ConnectionError,),
    InvalidURLError: (ConnectionError, ValueError),
    TimeoutError: (SocketIOError,),
    CallInterruptedError: (TimeoutError, DisconnectedError),
    BadNamespaceError: (SocketIOError,),
    DisconnectedError: (SocketIOError,),
}


def test_the_tree_is_complete():
    """Every error of the module has its place in the tree, under SocketIOError. (N1, M27)"""
    defined = {
        value
        for value in vars(exceptions).values()
        if isinstance(value, type) and value.__module__ == exceptions.__name__
    }
    assert defined == set(TREE)
    assert {error: error.__bases__ for error in TREE} == TREE


def test_the_docstring_draws_the_tree():
    """The module's docstring names every error, those with parents below them. (N1)"""
    drawn = exceptions.__doc__
    assert all(f" {error.__name__} " in drawn or f"    {error.__name__}\n" in drawn for error in TREE)


@pytest.mark.parametrize("name", ["ConnectionError", "ConnectionRefusedError", "TimeoutError"])
def test_names_of_python_are_other_errors(name):
    """An error that shares its name with one of Python is not caught with it. (C6)"""
    assert not issubclass(getattr(exceptions, name), getattr(builtins, name))


def test_a_connection_error_says_why_per_namespace():
    """data is what the server sent by namespace, a copy, and empty where it sent nothing. (C9, M14)"""
    refusals = {"/chat": {"message": "no"}}
    error = ConnectionError("failed", data=refusals)
    assert error.data == refusals
    assert error.data is not refusals
    assert (str(error), error.args) == ("failed", ("failed",))
    assert ConnectionError().data == {}
    assert ConnectionRefusedError("no", 1, 2).args == ("no", 1, 2)


def test_an_interrupted_call_is_both():
    """Who catches TimeoutError or DisconnectedError catches an interrupted call. (M27, K8)"""
    for kind in (TimeoutError, DisconnectedError, SocketIOError):
        with pytest.raises(kind):
            raise CallInterruptedError("lost")
