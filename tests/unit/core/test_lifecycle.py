"""The lifecycle table: every state with every input, and what holds in any order of inputs."""

from __future__ import annotations

import inspect
import runpy
from itertools import product
from pathlib import Path

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from socketio.core.lifecycle import IMMEDIATE, TABLE, WAITING, Action, Input, State, step
from socketio.lifecycle.attempts import Attempts
from socketio.lifecycle.base import BaseLifecycle

DOCS = Path(__file__).parents[3] / "docs"
PAIRS = pytest.mark.parametrize(("state", "given"), list(product(State, Input)), ids=lambda each: each.value)
LIVE = [state for state in State if state is not State.IDLE]


# -- every pair


@PAIRS
def test_a_pair_follows_the_rules(state, given):
    """A lifetime begins when the client leaves IDLE, and ends when it is back; what waits comes last."""
    following, actions = step(state, given)
    assert (Action.BEGIN in actions) == (state is State.IDLE and following is not State.IDLE)
    assert (Action.END in actions) == (state is not State.IDLE and following is State.IDLE)
    assert (Action.STOP_ATTEMPTS in actions) == (
        following in (State.IDLE, State.CLOSING) and state in LIVE and (following is not state)
    )
    assert len(set(actions)) == len(actions)
    flags = [action in IMMEDIATE for action in actions]
    assert flags == sorted(flags, reverse=True)
    if Action.END in actions:
        assert actions[-1] is Action.END


@PAIRS
def test_an_input_without_an_entry_has_no_effect(state, given):
    """The function is total, and pure."""
    assert step(state, given) == step(state, given)
    if given not in TABLE[state]:
        assert step(state, given) == (state, ())


@PAIRS
def test_only_one_action_leads_to_an_input(state, given):
    """It is the last one: an action that waits is followed by nothing but the end of a lifetime."""
    _, actions = step(state, given)
    leading = [action for action in actions if action in (Action.OPEN, Action.PAUSE, Action.CLOSE)]
    assert leading in ([], [actions[-1]] if actions else [])
    for index, action in enumerate(actions):
        if action in WAITING:
            assert actions[index + 1 :] in ((), (Action.END,))


@pytest.mark.parametrize("given", list(Input), ids=lambda each: each.value)
def test_only_connect_leaves_idle(given):
    """An idle client does nothing but connect(), and wait for a transport that is still closing."""
    following, actions = step(State.IDLE, given)
    assert (following is State.IDLE) == (given is not Input.CONNECT)
    assert given in (Input.CONNECT, Input.DISCONNECT) or actions == ()


@pytest.mark.parametrize("given", list(Input), ids=lambda each: each.value)
def test_closing_leads_to_idle_only(given):
    """disconnect() is final: no input makes a closing client connect."""
    following, actions = step(State.CLOSING, given)
    assert following in (State.CLOSING, State.IDLE)
    assert not {Action.OPEN, Action.JOIN, Action.PAUSE, Action.RECONNECT} & set(actions)


@pytest.mark.parametrize("state", LIVE, ids=lambda each: each.value)
def test_disconnect_works_in_every_state(state):
    """Each state but IDLE goes to CLOSING, or waits there."""
    assert step(state, Input.DISCONNECT)[0] is State.CLOSING


@pytest.mark.parametrize("state", LIVE, ids=lambda each: each.value)
def test_a_life_can_be_cut_in_every_state(state):
    """Nothing is waited for then, and no handler is called."""
    following, actions = step(state, Input.ABORT)
    assert following is State.IDLE
    assert not set(actions) & {*WAITING, Action.CALL_DISCONNECT, Action.CALL_FINAL}


@pytest.mark.parametrize("state", LIVE, ids=lambda each: each.value)
def test_connect_is_refused_in_every_other_state(state):
    """connect() raises unless the client is idle."""
    assert step(state, Input.CONNECT) == (state, (Action.REFUSE,))


def test_every_state_is_reached_and_left():
    """There is a way from IDLE to each state and back."""
    following = {state: {after for after, _ in TABLE[state].values()} for state in State}
    reached = {State.IDLE}
    for _ in State:
        reached |= {after for state in reached for after in following[state]}
    assert reached == set(State)
    assert all(State.IDLE in following[state] for state in State)


def test_every_action_is_used():
    """The table has no action that nothing leads to."""
    used = {action for inputs in TABLE.values() for _, actions in inputs.values() for action in actions}
    assert used == set(Action)


@pytest.mark.parametrize("action", list(Action), ids=lambda each: each.value)
def test_the_drivers_have_a_method_for_each_action(action):
    """Those that wait are steps, and no others are. The namespaces are asked for where the transport opens."""
    if action is Action.JOIN:
        assert inspect.isgeneratorfunction(Attempts.open_session)
        return
    method = getattr(BaseLifecycle, "_" + action.name.lower())
    assert inspect.isgeneratorfunction(method) == (action in WAITING)


# -- any order


class World(RuleBasedStateMachine):
    """A client with a server, an engine and a clock: inputs come only where their cause is there.

    It does what drivers do with the actions, at once or later.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = State.IDLE
        self.lives = 0
        self.ended: list[int] = []
        self.told: list[int] = []
        self.attempt = False
        self.opening = False
        self.transports = 0
        self.session = False
        self.timers: list[int] = []
        self.closing = False
        self.left = False
        self.stopped = True
        self.was_disconnected = False

    def feed(self, given: Input, lifetime: int | None = None) -> None:
        if lifetime not in (None, self.lives):
            return  # drivers drop what belongs to a lifetime that has passed
        before = self.state
        self.state, actions = step(before, given)
        for action in actions:
            getattr(self, "do_" + action.name.lower())()

    # -- actions

    def do_begin(self) -> None:
        assert len(self.ended) == self.lives, "the lifetime before has not ended"
        self.lives += 1
        self.stopped = self.was_disconnected = False

    def do_stop_attempts(self) -> None:
        self.stopped = True

    def do_refuse_events(self) -> None:
        pass

    def do_close_session(self) -> None:
        self.session = False

    def do_refuse(self) -> None:
        assert self.state is not State.IDLE

    def do_open(self) -> None:
        assert not self.was_disconnected
        assert not self.attempt, "two attempts at the same time"
        self.attempt = self.opening = True

    def do_join(self) -> None:
        assert not self.session, "two sessions at the same time"
        assert not self.was_disconnected
        self.session = True

    def do_pause(self) -> None:
        assert not self.was_disconnected
        self.timers.append(self.lives)

    do_reconnect = do_pause

    def do_close(self) -> None:
        assert not self.closing
        self.closing = True

    def do_close_transport(self) -> None:
        self.transports = 0

    def do_await_idle(self) -> None:
        assert self.closing

    def do_call_disconnect(self) -> None:
        assert len(self.ended) < self.lives, "a handler is called after the end of its lifetime"

    def do_call_final(self) -> None:
        assert self.lives not in self.told, "the end is told twice"
        self.told.append(self.lives)

    def do_end(self) -> None:
        assert self.lives not in self.ended, "a lifetime ends twice"
        self.ended.append(self.lives)
        if not self.attempt:
            self.transports = 0

    # -- inputs

    @precondition(lambda self: not self.attempt or self.state is not State.IDLE)
    @rule()
    def connect(self) -> None:
        """connect() waits until an attempt of the lifetime before has noticed its end."""
        self.feed(Input.CONNECT)

    @rule()
    def disconnect(self) -> None:
        self.was_disconnected = True
        self.feed(Input.DISCONNECT)

    @precondition(lambda self: self.opening)
    @rule()
    def transport_opens(self) -> None:
        self.opening = False
        self.transports += 1
        self.feed(Input.OPENED)
        if self.stopped:
            self.attempt_notices()

    @precondition(lambda self: self.attempt and not self.opening and self.session and not self.stopped)
    @rule()
    def server_accepts(self) -> None:
        self.attempt = False
        self.feed(Input.ACCEPTED)

    def fail(self, given: Input) -> None:
        self.attempt = self.opening = self.session = False
        self.transports = 0
        if not self.stopped:
            self.feed(given)

    @precondition(lambda self: self.attempt and not self.stopped)
    @rule()
    def attempt_fails(self) -> None:
        self.fail(Input.FAILED)

    @precondition(lambda self: self.attempt and not self.stopped)
    @rule()
    def last_attempt_fails(self) -> None:
        self.fail(Input.GAVE_UP)

    @precondition(lambda self: self.attempt and self.stopped)
    @rule()
    def attempt_notices(self) -> None:
        """An attempt outlasts its lifetime by a moment."""
        self.fail(Input.GAVE_UP)

    @precondition(lambda self: self.timers)
    @rule()
    def timer_ends(self) -> None:
        self.feed(Input.TIMER, self.timers.pop(0))

    @precondition(lambda self: self.timers)
    @rule()
    def pause_is_aborted(self) -> None:
        self.feed(Input.GAVE_UP, self.timers.pop(0))

    @precondition(lambda self: self.session)
    @rule()
    def transport_is_lost(self) -> None:
        self.transports = 0
        self.feed(Input.LOST)

    @precondition(lambda self: self.session)
    @rule()
    def transport_ends(self) -> None:
        self.transports = 0
        self.feed(Input.ENDED)

    @precondition(lambda self: self.session)
    @rule()
    def server_disconnects(self) -> None:
        self.feed(Input.SERVER_DISCONNECT)

    @precondition(lambda self: self.closing)
    @rule()
    def closing_ends(self) -> None:
        self.closing = False
        self.transports = 0
        self.feed(Input.CLOSED)

    @rule()
    def no_time_is_left(self) -> None:
        self.closing = False
        self.transports = 0
        self.feed(Input.ABORT)

    # -- what holds

    @invariant()
    def never_two_connections(self) -> None:
        assert self.transports <= 1

    @invariant()
    def each_life_ends_once(self) -> None:
        assert self.ended == list(range(1, len(self.ended) + 1))
        assert len(self.ended) == self.lives - (self.state is not State.IDLE)

    @invariant()
    def its_handlers_are_told_at_most_once(self) -> None:
        assert len(set(self.told)) == len(self.told)

    @invariant()
    def disconnect_is_final(self) -> None:
        if self.was_disconnected:
            assert self.state in (State.IDLE, State.CLOSING)

    @invariant()
    def an_idle_client_has_nothing(self) -> None:
        if self.state is State.IDLE:
            assert not self.session
            assert self.stopped
            assert not self.closing


test_any_order = World.TestCase


# -- the documentation


def test_the_drawing_in_the_documentation_is_current():
    """docs/lifecycle.txt is what ``python docs/draw_lifecycle.py`` makes of the table."""
    drawing = runpy.run_path(str(DOCS / "draw_lifecycle.py"))["drawing"]
    assert (DOCS / "lifecycle.txt").read_text(encoding="utf-8") == drawing()
