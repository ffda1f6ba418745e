"""How long to wait before each attempt to reconnect."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio.core.backoff import FLOOR, delays

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
        assert min(base, max(base * (1 - fraction), 0)) - 1e-6 <= delay
        assert delay <= base * (1 + fraction) * (1 + 1e-9) + 1e-6


@given(start=seconds, maximum=st.floats(FLOOR, 1e6) | st.just(math.inf), fraction=st.floats(0, 1000))
def test_no_delay_is_above_the_maximum(start, maximum, fraction):
    """``reconnection_delay_max`` is a maximum, after the randomization too. (issue 10, E4)"""
    assert max(first(50, start, maximum, fraction)) <= maximum


def test_at_the_maximum_delays_still_differ():
    """At the maximum, delays are spread over the fraction below it; few are the maximum itself. (issue 10, E4)"""
    for start in (5, 4):
        drawn = first(2003, start, 5, 0.5)[3:]
        assert 2.5 <= min(drawn) < 2.6
        assert 4.9 < max(drawn) <= 5
        assert sum(delay < 3.75 for delay in drawn) > 900
        assert sum(delay > 4.95 for delay in drawn) < 100


def test_near_the_maximum_delays_still_differ():
    """A delay whose upper part would be above the maximum is drawn from what is below. (issue 10, E4)"""
    drawn = [next(delays(4, 5, 0.5)) for _ in range(2000)]
    assert 2 <= min(drawn) < 2.1
    assert 4.9 < max(drawn) <= 5
    assert sum(delay > 4.95 for delay in drawn) < 100


@given(start=seconds, maximum=seconds, fraction=st.floats(0, 1000))
def test_no_delay_is_negative(start, maximum, fraction):
    """A randomization beyond 1 gives no delay below 0. (G1)"""
    assert min(first(20, start, maximum, fraction)) >= 0


def test_delays_go_up_and_down():
    """The randomization goes both ways, and as far as its fraction. (G1)"""
    drawn = [next(delays(1, 5, 0.5)) for _ in range(2000)]
    assert 0.5 <= min(drawn) < 0.6
    assert 1.4 < max(drawn) <= 1.5
    assert sum(delay < 1 for delay in drawn) > 500


def test_the_randomization_does_not_add_up():
    """A delay is doubled before it is randomized, so that a row of small ones is no smaller row. (G1, G2)"""
    assert all(delay >= 2.5 for delay in first(500, 5, 5, 0.5))


@given(start=st.floats(0, 1), maximum=st.floats(0, 1), fraction=st.floats(0, 1000))
def test_all_but_the_first_delay_have_a_floor(start, maximum, fraction):
    """However short the delays are to be, attempts that follow each other do not become a storm. (issue 10, B11)"""
    assert min(first(50, start, maximum, fraction)[1:]) >= FLOOR


@pytest.mark.parametrize("start", [0, 0.0])
def test_a_first_delay_of_zero_stays_zero(start):
    """The first attempt may come at once. (G1; issue 10, B11)"""
    assert first(4, start, 5, 0) == [0, FLOOR, FLOOR, FLOOR]
    assert next(delays(start, 5, 0.5)) == 0


def test_without_a_maximum_delays_stay_finite():
    """A maximum of infinity is none; the delays stay numbers that can be waited for."""
    assert all(math.isfinite(delay) for delay in first(3000, 1, math.inf, 0.5))


def test_two_clients_have_delays_of_their_own():
    """Each call begins anew. (G3)"""
    one, other = delays(1, 100, 0), delays(1, 100, 0)
    assert [next(one), next(one), next(other), next(one)] == [1, 2, 1, 4]
