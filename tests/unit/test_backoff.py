"""How long to wait before each attempt to reconnect."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.backoff import delays

seconds = st.floats(0, 1e6)


def first(count, *args):
    return list(itertools.islice(delays(*args), count))


def test_delays_double_from_the_first():
    """Without randomization the delays are the first, and twice the one before. (G1)"""
    assert first(5, 1, 1000, 0) == [1, 2, 4, 8, 16]


def test_delays_stop_growing_at_the_maximum():
    """No delay is above the maximum before it is randomized. (G2, M42)"""
    assert first(6, 1, 5, 0) == [1, 2, 4, 5, 5, 5]
    assert first(3, 9, 5, 0) == [5, 5, 5]


@given(start=seconds, maximum=seconds, fraction=st.floats(0, 1))
def test_each_delay_is_changed_by_a_fraction_of_itself(start, maximum, fraction):
    """Each delay is within the fraction of what it were without, whatever the options. (G1, G2)"""
    plain = first(8, start, maximum, 0)
    for delay, base in zip(first(8, start, maximum, fraction), plain, strict=True):
        assert base * (1 - fraction) - 1e-6 <= delay <= base * (1 + fraction) * (1 + 1e-9) + 1e-6


@given(start=seconds, maximum=seconds, fraction=st.floats(0, 1000))
def test_no_delay_is_negative(start, maximum, fraction):
    """A randomization beyond 1 gives no delay below 0. (G1)"""
    assert min(first(20, start, maximum, fraction)) >= 0


def test_delays_go_up_and_down():
    """The randomization goes both ways, and as far as its fraction. (G1)"""
    drawn = first(2000, 1, 1, 0.5)
    assert 0.5 <= min(drawn) < 0.6
    assert 1.4 < max(drawn) <= 1.5
    assert sum(delay < 1 for delay in drawn) > 500


def test_the_randomization_does_not_add_up():
    """A delay is doubled before it is randomized, so that a row of small ones is no smaller row. (G1, G2)"""
    assert all(delay >= 2.5 for delay in first(500, 5, 5, 0.5))


@pytest.mark.parametrize("start", [0, 0.0])
def test_a_first_delay_of_zero_stays_zero(start):
    """Who asks for no delay gets none. (G1)"""
    assert first(3, start, 5, 0.5) == [0, 0, 0]


def test_two_clients_have_delays_of_their_own():
    """Each call begins anew. (G3)"""
    one, other = delays(1, 100, 0), delays(1, 100, 0)
    assert [next(one), next(one), next(other), next(one)] == [1, 2, 1, 4]
