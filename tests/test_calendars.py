"""Working days in China."""

from __future__ import annotations

from datetime import date

import pytest

from lifecycle.calendars import day_off_notice, is_working_day, working_days_between


class TestWorkingDay:
    @pytest.mark.parametrize(
        ("day", "works"),
        [
            (date(2025, 10, 9), True),
            (date(2025, 10, 1), False),
            (date(2025, 10, 11), True),
            (date(2025, 10, 12), False),
            (date(2025, 1, 26), True),
            (date(2025, 1, 28), False),
        ],
        ids=[
            "thursday",
            "national-day",
            "make-up-saturday",
            "sunday",
            "make-up-sunday",
            "new-year",
        ],
    )
    def test_follows_the_announced_holidays(self, day, works):
        assert is_working_day(day) is works

    def test_are_counted_without_the_first_and_with_the_last(self):
        assert working_days_between(date(2025, 10, 9), date(2025, 10, 11)) == 2
        assert working_days_between(date(2025, 9, 30), date(2025, 10, 8)) == 0
        assert working_days_between(date(2025, 10, 9), date(2025, 10, 9)) == 0
        assert working_days_between(date(2025, 10, 9), date(2025, 10, 1)) == 0


class TestDayOffNotice:
    def test_says_nothing_about_a_working_day(self):
        assert day_off_notice(date(2025, 10, 11)) is None

    def test_names_the_holiday(self):
        notice = day_off_notice(date(2025, 10, 1))
        assert "国庆" in notice.sentence.zh
        assert notice.sentence.en == "2025-10-01 is a public holiday."

    def test_tells_a_weekend_from_a_holiday(self):
        assert day_off_notice(date(2025, 10, 12)).sentence.zh == "2025-10-12 是周末。"

    @pytest.mark.parametrize(("year", "is_estimate"), [(2025, False), (2031, True)])
    def test_says_when_it_is_an_estimate(self, year, is_estimate):
        notice = day_off_notice(date(year, 10, 1))
        assert ("推算" in notice.advice.zh) is is_estimate
        assert ("estimate" in notice.advice.en) is is_estimate
