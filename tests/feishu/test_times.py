"""Days of the tenant and milliseconds."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.times import checked_ms, day_to_ms, ms_of, ms_to_day, seconds_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = ["Asia/Shanghai", "UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe"]


class TestDays:
    def test_start_at_midnight_of_the_tenant(self) -> None:
        assert day_to_ms(date(2021, 11, 23), SHANGHAI) == 1637596800000
        assert day_to_ms(date(1970, 1, 1), ZoneInfo("UTC")) == 0

    def test_end_at_midnight_of_the_tenant(self) -> None:
        midnight = 1637596800000
        assert ms_to_day(midnight, SHANGHAI) == date(2021, 11, 23)
        assert ms_to_day(midnight - 1, SHANGHAI) == date(2021, 11, 22)
        assert ms_to_day(midnight, ZoneInfo("UTC")) == date(2021, 11, 22)

    @given(st.dates(date(1902, 1, 1), date(2999, 12, 31)), st.sampled_from(ZONES))
    def test_come_back_from_their_first_moment(self, day: date, name: str) -> None:
        zone = ZoneInfo(name)
        assert ms_to_day(day_to_ms(day, zone), zone) == day

    def test_handle_29_february(self) -> None:
        assert ms_to_day(day_to_ms(date(2024, 2, 29), SHANGHAI), SHANGHAI) == date(2024, 2, 29)


class TestReaders:
    @pytest.mark.parametrize("read", [ms_of, seconds_of])
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("1676548784889", 1676548784889),
            (1676548784889, 1676548784889),
            (" 1676548784889 ", 1676548784889),
            (0, None),
            ("0", None),
            ("", None),
            (None, None),
            (True, None),
            ("soon", None),
            ("1.5", None),
            (1.5, None),
            ("１６", None),
            ("9" * 400, None),
            ([], None),
        ],
    )
    def test_take_numbers_and_texts(
        self, read: object, value: object, expected: int | None
    ) -> None:
        assert read(value) == expected  # type: ignore[operator]


class TestCheckedMs:
    def test_takes_a_moment(self) -> None:
        assert checked_ms("x", 1676548784889) == 1676548784889

    @pytest.mark.parametrize("value", [1676548784, 1676548784889000, True, "1676548784889", None])
    def test_refuses_seconds_microseconds_and_other_types(self, value: object) -> None:
        with pytest.raises(InvalidValue):
            checked_ms("x", value)  # type: ignore[arg-type]
