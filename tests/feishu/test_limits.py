"""Pacing: the proof by search, and the limiter of one process on a clock of its own."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.feishu import endpoints
from lifecycle.feishu.endpoints import Endpoint, Window
from lifecycle.feishu.errors import InvalidValue, LimiterBusy
from lifecycle.feishu.limits import Pacing, ProcessLimiter, next_slot, pacing

PUBLISHED = sorted({window for one in endpoints.ALL.values() for window in one.windows}, key=str)
FAST = Endpoint("test.fast", "GET", "/open-apis/fast", (Window(20, 1),))
BOTH = Endpoint("test.both", "GET", "/open-apis/both", endpoints.PER_MINUTE_1000)
FREE = Endpoint("test.free", "GET", "/open-apis/free")


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def limiter_on(clock: Clock, **options: float) -> ProcessLimiter:
    return ProcessLimiter(clock=clock, sleep=clock.sleep, **options)


def departures(
    limiter: ProcessLimiter, clock: Clock, endpoint: Endpoint, count: int
) -> list[float]:
    times = []
    for _ in range(count):
        limiter.acquire(endpoint, background=False, give_up_after_s=1000)
        times.append(clock.now)
    return times


def most_in_window(times: list[float], length: float) -> int:
    """The largest number of departures in any closed window of that length."""
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] > length:
            first += 1
        most = max(most, last - first + 1)
    return most


class TestPacing:
    @given(
        st.integers(1, 2000),
        st.integers(1, 60),
        st.floats(0.05, 1),
        st.floats(0.05, 1),
        st.lists(st.integers(0, 3000), min_size=1, max_size=400),
    )
    @settings(max_examples=300)
    def test_never_exceeds_a_sliding_window(
        self, calls: int, seconds: int, scale: float, share: float, gaps: list[int]
    ) -> None:
        pace = pacing(Window(calls, seconds), scale=scale, share=share)
        tat = now = 0
        times: list[float] = []
        for gap in gaps:
            now += gap
            tat, wait = next_slot(tat, now, pace)
            now += wait
            times.append(now)
        allowed = max(1, int(calls * scale * share))
        assert most_in_window(times, seconds * 1000) <= allowed

    @pytest.mark.parametrize("window", PUBLISHED, ids=str)
    def test_holds_for_the_greediest_caller(self, window: Window) -> None:
        pace = pacing(window)
        tat = now = 0
        times: list[float] = []
        for _ in range(window.calls * 3):
            tat, wait = next_slot(tat, now, pace)
            now += wait
            times.append(now)
        assert most_in_window(times, window.seconds * 1000) <= window.calls
        assert window.calls * 3 / (times[-1] / 1000) >= 0.92 * window.calls / window.seconds

    def test_keeps_5_percent_for_a_burst(self) -> None:
        assert pacing(Window(1000, 60)) == Pacing(interval_ms=64, burst=50)
        assert pacing(Window(20, 1)) == Pacing(interval_ms=53, burst=1)

    def test_leaves_at_least_one_call(self) -> None:
        assert pacing(Window(1, 1), share=0.1) == Pacing(interval_ms=1053, burst=1)

    @pytest.mark.parametrize("wrong", [{"scale": 0}, {"share": 0}, {"scale": -1}])
    def test_refuses_a_share_of_nothing(self, wrong: dict[str, float]) -> None:
        with pytest.raises(InvalidValue):
            pacing(Window(1, 1), **wrong)


class TestNextSlot:
    def test_gives_the_first_caller_its_slot_at_once(self) -> None:
        assert next_slot(0, 5000, Pacing(50, 1)) == (5050, 0)

    def test_has_the_second_wait_an_interval(self) -> None:
        assert next_slot(5050, 5000, Pacing(50, 1)) == (5100, 50)

    def test_lets_a_burst_go_after_a_rest(self) -> None:
        assert next_slot(5050, 5000, Pacing(50, 2)) == (5100, 0)


class TestProcessLimiter:
    def test_keeps_both_windows_of_an_endpoint(self) -> None:
        clock = Clock()
        times = departures(limiter_on(clock), clock, BOTH, 2000)
        assert most_in_window(times, 0.999) <= 50
        assert most_in_window(times, 59.999) <= 1000

    def test_lets_unpublished_endpoints_pass(self) -> None:
        clock = Clock()
        assert set(departures(limiter_on(clock), clock, FREE, 100)) == {1000.0}

    def test_keeps_endpoints_apart(self) -> None:
        clock = Clock()
        limiter = limiter_on(clock)
        departures(limiter, clock, FAST, 1)
        departures(limiter, clock, BOTH, 1)
        assert clock.now == 1000.0

    def test_gives_up_without_taking_a_slot(self) -> None:
        clock = Clock()
        limiter = limiter_on(clock)
        departures(limiter, clock, FAST, 1)
        with pytest.raises(LimiterBusy) as caught:
            limiter.acquire(FAST, background=False, give_up_after_s=0.01)
        assert caught.value.retry_after_s == pytest.approx(0.053)
        limiter.acquire(FAST, background=False, give_up_after_s=0.06)
        assert clock.now == pytest.approx(1000.053)

    def test_leaves_room_for_people_beside_the_background(self) -> None:
        clock = Clock()
        limiter = limiter_on(clock)
        count = 0
        while clock.now < 1060:
            limiter.acquire(FAST, background=True, give_up_after_s=10)
            count += 1
        assert 0.5 * 20 * 60 < count <= 0.6 * 20 * 60
        limiter.acquire(FAST, background=False, give_up_after_s=0.06)

    def test_counts_people_against_the_background(self) -> None:
        clock = Clock()
        limiter = limiter_on(clock)
        limiter.acquire(FAST, background=False, give_up_after_s=0)
        with pytest.raises(LimiterBusy):
            limiter.acquire(FAST, background=True, give_up_after_s=0)

    def test_pauses_one_endpoint_for_everybody(self) -> None:
        clock = Clock()
        limiter = limiter_on(clock)
        limiter.pause(FAST, 7)
        limiter.pause(FAST, 2)
        with pytest.raises(LimiterBusy):
            limiter.acquire(FAST, background=False, give_up_after_s=6.9)
        limiter.acquire(BOTH, background=False, give_up_after_s=0)
        limiter.acquire(FAST, background=False, give_up_after_s=8)
        assert clock.now == pytest.approx(1007)

    def test_scales_the_published_rate(self) -> None:
        clock = Clock()
        times = departures(limiter_on(clock, scale=0.5), clock, FAST, 100)
        assert most_in_window(times, 0.999) <= 10

    def test_holds_for_threads_on_the_real_clock(self) -> None:
        limiter = ProcessLimiter(scale=10)
        times: list[float] = []
        lock = threading.Lock()

        def work() -> None:
            for _ in range(25):
                limiter.acquire(FAST, background=False, give_up_after_s=30)
                with lock:
                    times.append(limiter._clock())

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(times) == 200
        assert max(times) - min(times) >= 0.95
