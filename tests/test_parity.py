"""The two flavours are one API: the same names in the same order, the same parameters, the same documentation."""

from __future__ import annotations

import inspect
import re

import pytest

import socketio

PAIRS = [
    (socketio.Client, socketio.AsyncClient),
    (socketio.SimpleClient, socketio.AsyncSimpleClient),
    (socketio.ClientNamespace, socketio.AsyncClientNamespace),
]
pairs = pytest.mark.parametrize(("threads", "asyncio"), PAIRS, ids=lambda found: found.__name__)

# The documented signatures. A star marks what is a coroutine function in the asyncio flavour.
SIGNATURES = {
    socketio.Client: """
        __init__(reconnection=True, reconnection_attempts=0, reconnection_delay=1, reconnection_delay_max=5, \
randomization_factor=0.5, logger=False, serializer='default', json=None, handle_sigint=True, async_handlers=True, \
**engineio_options)
        *connect(url, headers={}, auth=None, transports=None, namespaces=None, socketio_path='socket.io', wait=True, \
wait_timeout=20, retry=False)
        *emit(event, data=None, namespace=None, callback=None)
        *send(data, namespace=None, callback=None)
        *call(event, data=None, namespace=None, timeout=60)
        *disconnect()
        *shutdown()
        *wait()
        *sleep(seconds=0)
        start_background_task(target, *args, **kwargs)
        on(event, handler=None, namespace=None)
        event(*args, **kwargs)
        register_namespace(namespace_handler)
        get_sid(namespace=None)
        transport()
        is_asyncio_based()
        """,
    socketio.SimpleClient: """
        __init__(*args, **kwargs)
        *connect(url, headers={}, auth=None, transports=None, namespace='/', socketio_path='socket.io', wait_timeout=20)
        *emit(event, data=None)
        *call(event, data=None, timeout=60)
        *receive(timeout=None)
        *disconnect()
        """,
    socketio.ClientNamespace: """
        __init__(namespace=None)
        *trigger_event(event, *args)
        *emit(event, data=None, namespace=None, callback=None)
        *send(data, namespace=None, callback=None)
        *call(event, data=None, namespace=None, timeout=60)
        *disconnect()
        is_asyncio_based()
        """,
}

# Attributes that are part of the API, of an instance.
ATTRIBUTES = {
    socketio.Client: """
        connected namespaces failed_namespaces sid reason disconnect_details eio packet_class logger
        handlers namespace_handlers callbacks
        connection_url connection_headers connection_auth connection_transports connection_namespaces socketio_path
        reconnection reconnection_attempts reconnection_delay reconnection_delay_max randomization_factor handle_sigint
        reserved_events async_handlers
        """,
    socketio.SimpleClient: """
        sid transport client namespace connected client_class client_args client_kwargs input_buffer
        """,
    socketio.ClientNamespace: "namespace client",
}

# What the documentation of the asyncio flavour says in other words, or beside.
WORDS = {
    "Async": "",
    " for asyncio": "",
    "an asynchronous context manager": "a context manager",
    ", a function or a coroutine,": "",
    " It may be a coroutine function.": "",
}
# What is documented differently because it is different.
DIFFERENT = {
    ("Client", "start_background_task"): (
        "Run a function with these arguments in a new thread; return the thread, which can be joined.",
        "Run a coroutine function with these arguments as a task; return the task, which can be awaited.",
    ),
}
DIFFERENT_OPTIONS = {"handle_sigint", "async_handlers", "engineio_options"}


def plain_signature(function):
    """Return the signature without ``self`` and without annotations."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def documented(threads):
    """Return ``(name, is a coroutine function in asyncio, signature)`` of each method of a class."""
    lines = [line.strip() for line in SIGNATURES[threads].strip().splitlines()]
    found = [re.fullmatch(r"(\*?)(\w+)(\(.*\))", line) for line in lines]
    return [(match[2], bool(match[1]), match[3]) for match in found]


METHODS = [(*pair, *method) for pair in PAIRS for method in documented(pair[0])]


def public_names(found):
    return [name for name in vars(found) if not name.startswith("_")]


def everything_public(found):
    return {name for name in dir(found) if not name.startswith("_")}


@pairs
def test_both_have_the_same_public_names(threads, asyncio):
    """Whatever the one flavour has the other has. (M52)"""
    assert everything_public(threads) == everything_public(asyncio)


@pairs
def test_both_define_them_in_the_same_order(threads, asyncio):
    """The class bodies have the same public names in the same order, but for what tells the flavours apart. (M52)"""
    flavour = {"is_asyncio_based"}
    assert [name for name in public_names(threads) if name not in flavour] == [
        name for name in public_names(asyncio) if name not in flavour
    ]


@pytest.mark.parametrize(("threads", "asyncio", "name", "is_coroutine", "signature"), METHODS)
def test_signatures_are_the_documented_ones(threads, asyncio, name, is_coroutine, signature):
    """Parameter names, kinds, order and defaults are as documented, in both flavours. (M52)"""
    assert plain_signature(getattr(threads, name)) == signature
    assert plain_signature(getattr(asyncio, name)) == signature


@pytest.mark.parametrize(("threads", "asyncio", "name", "is_coroutine", "signature"), METHODS)
def test_coroutines_are_where_they_are_documented(threads, asyncio, name, is_coroutine, signature):
    """In asyncio these methods are coroutine functions, and no others; for threads none is. (M52)"""
    assert inspect.iscoroutinefunction(getattr(asyncio, name)) is is_coroutine
    assert not inspect.iscoroutinefunction(getattr(threads, name))


@pairs
def test_no_public_method_is_undocumented(threads, asyncio):
    """The table of signatures has every public method that there is. (M52)"""
    for found in (threads, asyncio):
        callables = {
            name
            for name in everything_public(found)
            if callable(getattr(found, name)) and not isinstance(getattr(found, name), type)
        }
        assert callables == {name for name, *_ in documented(threads)} - {"__init__"}


@pairs
def test_the_documented_attributes_are_there(threads, asyncio):
    """Both flavours have the attributes that users know. (M52)"""
    for found in (threads, asyncio):
        made = found()
        assert [name for name in ATTRIBUTES[threads].split() if not hasattr(made, name)] == []


@pairs
def test_what_an_instance_shows_is_documented(threads, asyncio):
    """An instance has no public attribute beside the documented ones and its methods. (M52)"""
    known = {*ATTRIBUTES[threads].split(), *(name for name, *_ in documented(threads))}
    for found in (threads, asyncio):
        assert everything_public(found()) - known == set()


# -- documentation


def as_threads(text):
    """Return a docstring of asyncio in the words of the other flavour."""
    text = " ".join((text or "").split())
    for word, replacement in WORDS.items():
        text = text.replace(word, replacement)
    return text


@pytest.mark.parametrize(("threads", "asyncio", "name", "is_coroutine", "signature"), METHODS)
def test_methods_are_documented_in_the_same_words(threads, asyncio, name, is_coroutine, signature):
    """The docstrings of twins are equal, in the words of their flavours. (M52)"""
    one, other = getattr(threads, name).__doc__, getattr(asyncio, name).__doc__
    if name == "__init__":
        assert one == other
        return
    assert one
    if (threads.__name__, name) in DIFFERENT:
        assert (one, other) == DIFFERENT[threads.__name__, name]
    else:
        assert as_threads(other) == " ".join(one.split())


def entries(found):
    """Return the ``:param`` and ``:ivar`` entries of a class's docstring, and its first sentence."""
    text = as_threads(found.__doc__)
    first, *rest = re.split(r" (?=:(?:param|ivar) \w+:)", text)
    fields = dict(re.fullmatch(r":\w+ (\w+): (.*?\.)(?: .*)?", entry).groups() for entry in rest[:-1])
    last = re.fullmatch(r":\w+ (\w+): .*", rest[-1])[1] if rest else None
    return first.partition(". ")[0], fields, last


@pairs
def test_classes_are_documented_in_the_same_words(threads, asyncio):
    """The docstrings of both classes begin alike, and explain the same options in the same order and words. (M52)"""
    first, fields, last = entries(threads)
    first_of_asyncio, fields_of_asyncio, last_of_asyncio = entries(asyncio)
    assert first == first_of_asyncio
    assert [*fields, last] == [*fields_of_asyncio, last_of_asyncio]
    for name in set(fields) - DIFFERENT_OPTIONS:
        assert fields[name] == fields_of_asyncio[name]


def test_the_options_of_the_clients_are_all_documented():
    """The docstrings of the clients explain every option of the constructor, in its order. (M52)"""
    options = list(inspect.signature(socketio.Client).parameters)
    for found in PAIRS[0]:
        assert re.findall(r":param (\w+):", found.__doc__) == options


@pairs
def test_everything_public_is_documented(threads, asyncio):
    """Every public method and property has a docstring, whose first line ends its sentence. (M52)"""
    for found in (threads, asyncio):
        for name in everything_public(found):
            attribute = getattr(found, name)
            if callable(attribute) or isinstance(attribute, property):
                assert (attribute.__doc__ or "").strip(), f"{found.__name__}.{name}"
