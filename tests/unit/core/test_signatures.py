"""What a function accepts, read from its signature."""

from __future__ import annotations

import functools

import pytest

from socketio.core.signatures import accepts, without_unwanted_reason


class Callable:
    def __call__(self, a, b=1): ...
    def method(self, a): ...
    @staticmethod
    def static(a): ...


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "expected"),
    [
        (lambda: None, (), {}, True),
        (lambda: None, (1,), {}, False),
        (lambda a: None, (1,), {}, True),
        (lambda a: None, (), {}, False),
        (lambda a, b=1: None, (1, 2), {}, True),
        (lambda a, b=1: None, (1, 2, 3), {}, False),
        (lambda *args: None, (1, 2, 3), {}, True),
        (lambda *, key: None, (), {"key": 1}, True),
        (lambda *, key: None, (1,), {}, False),
        (lambda **kwargs: None, (), {"key": 1}, True),
        (lambda a: None, (), {"key": 1}, False),
        (Callable(), (1, 2), {}, True),
        (Callable(), (1, 2, 3), {}, False),
        (Callable().method, (1,), {}, True),
        (Callable().method, (), {}, False),
        (Callable.static, (1,), {}, True),
        (functools.partial(lambda a, b: None, 1), (2,), {}, True),
        (functools.partial(lambda a, b: None, 1), (2, 3), {}, False),
        (Callable, (), {}, True),
    ],
)
def test_a_signature_tells_what_is_accepted(function, args, kwargs, expected):
    """accepts() says whether a call with these arguments would fit, without calling. (E12)"""
    assert accepts(function, *args, **kwargs) is expected


@pytest.mark.parametrize("function", [dict.fromkeys, max, 5])
def test_what_does_not_tell_is_unknown(function):
    """A builtin without a signature, or what is no function, gives None unless Python knows better. (E12)"""
    assert accepts(function, 1, 2, 3, 4, 5, 6, 7) in (None, False)


def test_a_builtin_without_a_signature_is_unknown():
    """max has no signature that Python could read. (E12)"""
    assert accepts(max, 1) is None


def test_the_function_is_not_called():
    """Looking at a function does not run it. (N21)"""

    def never(*args):
        raise AssertionError("called")

    assert accepts(never, 1) is True
    assert without_unwanted_reason(never, ("why",)) == ("why",)


@pytest.mark.parametrize(
    ("handler", "args", "expected"),
    [
        (lambda: None, ("why",), ()),
        (lambda reason: None, ("why",), ("why",)),
        (lambda *args: None, ("why",), ("why",)),
        (lambda namespace: None, ("/x", "why"), ("/x",)),
        (lambda namespace, reason: None, ("/x", "why"), ("/x", "why")),
        (max, ("why",), ("why",)),
        (lambda a, b, c: None, ("why",), ()),
    ],
)
def test_the_reason_is_left_out_where_it_is_not_taken(handler, args, expected):
    """without_unwanted_reason() drops the last argument where the handler takes it not. (E12, L1)"""
    assert without_unwanted_reason(handler, args) == expected
