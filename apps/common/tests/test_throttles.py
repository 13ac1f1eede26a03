"""Throttles: so many calls a window, the one before fading out of it, each caller for themselves."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIRequestFactory

from apps.common.throttles import AnonWindow


@pytest.fixture
def clock(monkeypatch):
    now = [1_000_000 * 60.0]
    monkeypatch.setattr(AnonWindow, "timer", lambda self: now[0])
    monkeypatch.setattr(AnonWindow, "THROTTLE_RATES", {"anon": "4/min"})
    cache.clear()
    return now


def ask(address="10.0.0.1"):
    throttle = AnonWindow()
    request = APIRequestFactory().get("/", REMOTE_ADDR=address)
    request.user = None
    return throttle.allow_request(request, None), throttle


def test_so_many_calls_a_window_and_each_address_for_itself(clock):
    assert [ask()[0] for _ in range(5)] == [True, True, True, True, False]
    assert ask("10.0.0.2")[0]


def test_a_refusal_says_how_long_the_window_lasts(clock):
    clock[0] += 15
    answers = [ask() for _ in range(5)]
    assert answers[-1][1].wait() == 45


def test_the_window_before_fades(clock):
    for _ in range(4):
        ask()
    clock[0] += 60
    assert not ask()[0]
    clock[0] += 30
    assert [ask()[0] for _ in range(3)] == [True, True, False]


def test_two_windows_later_nothing_is_left(clock):
    for _ in range(4):
        ask()
    clock[0] += 120
    assert [ask()[0] for _ in range(5)] == [True, True, True, True, False]


def test_a_refused_call_does_not_count(clock):
    for _ in range(9):
        ask()
    clock[0] += 90
    assert [ask()[0] for _ in range(3)] == [True, True, False]
