"""The tenant token: when it is fetched, dropped and renewed."""

from __future__ import annotations

import threading
import time

import pytest

from lifecycle.feishu.tokens import FreshToken, TenantToken


class Source:
    """Hands out t-1, t-2, ... and a clock to go with them."""

    def __init__(self, life_s: int = 7200) -> None:
        self.life_s = life_s
        self.now = 0.0
        self.fetched = 0
        self.delay_s = 0.0
        self.token = TenantToken(self.fetch, clock=lambda: self.now)

    def fetch(self) -> FreshToken:
        time.sleep(self.delay_s)
        self.fetched += 1
        return FreshToken(f"t-{self.fetched}", self.life_s)


class TestGet:
    @pytest.mark.parametrize(("life_s", "kept_s"), [(7200, 5400), (5412, 3612), (60, 30)])
    def test_renews_half_an_hour_before_the_end(self, life_s: int, kept_s: int) -> None:
        source = Source(life_s)
        assert source.token.get() == "t-1"
        source.now = kept_s - 1
        assert source.token.get() == "t-1"
        source.now = kept_s
        assert source.token.get() == "t-2"

    def test_fetches_once_for_many_threads(self) -> None:
        source = Source()
        source.delay_s = 0.05
        seen: list[str] = []
        threads = [
            threading.Thread(target=lambda: seen.append(source.token.get())) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (seen, source.fetched) == (["t-1"] * 8, 1)

    def test_keeps_nothing_after_a_failure(self) -> None:
        failures = iter([OSError()])

        def fetch() -> FreshToken:
            for failure in failures:
                raise failure
            return FreshToken("t-9", 7200)

        token = TenantToken(fetch)
        with pytest.raises(OSError):
            token.get()
        assert token.get() == "t-9"


class TestDrop:
    def test_forgets_that_very_token(self) -> None:
        source = Source()
        source.token.drop(source.token.get())
        assert source.token.get() == "t-2"

    def test_leaves_a_newer_one_alone(self) -> None:
        source = Source()
        old = source.token.get()
        source.token.drop(old)
        source.token.get()
        source.token.drop(old)
        assert (source.token.get(), source.fetched) == ("t-2", 2)


class TestRepr:
    def test_shows_no_token(self) -> None:
        source = Source()
        source.token.get()
        assert "t-1" not in repr(source.token)
        assert "t-1" not in repr(FreshToken("t-1", 7200))
