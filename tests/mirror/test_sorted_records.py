"""The columns the lists sort and search by, as the mirror writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from lifecycle import mirror
from lifecycle.models import Application, Offboarding, PreHire, Talent

pytestmark = pytest.mark.django_db

# 2026-01-05 in Shanghai, still the day before in Greenwich.
LATE_MS = str(int(datetime(2026, 1, 4, 17, tzinfo=UTC).timestamp() * 1000))


def test_a_talent_sorts_by_the_tenant_day_of_its_update_and_is_found_by_phone():
    info = {"name": "林", "mobile": "+8613812341234", "email": "Lin@X.cn", "modify_time": LATE_MS}
    mirror.store_talents([{"id": "68", "basic_info": info}], asked_at=timezone.now())
    talent = Talent.objects.get()
    assert talent.sort_on == date(2026, 1, 5)
    assert (talent.phone_key, talent.phone_tail) == ("13812341234", "1234")
    assert talent.email_key == "lin@x.cn"


def test_an_application_sorts_by_its_update():
    record = {"id": "73", "talent_id": "68", "modify_time": LATE_MS}
    mirror.store_applications([record, {"id": "74"}], asked_at=timezone.now())
    days = dict(Application.objects.values_list("feishu_id", "sort_on"))
    assert days == {"73": date(2026, 1, 5), "74": date.min}


@pytest.mark.parametrize("ms", [253402300799000, -62135596800000])
def test_a_moment_beyond_all_days_stops_nothing(ms):
    mirror.store_applications([{"id": "73", "modify_time": str(ms)}], asked_at=timezone.now())
    assert Application.objects.get().feishu_id == "73"


@pytest.mark.parametrize(("day", "sort_on"), [("2026-02-02", date(2026, 2, 2)), ("", date.max)])
def test_a_pre_hire_sorts_by_its_onboarding_day(day, sort_on):
    record = {"pre_hire_id": "75", "onboarding_info": {"onboarding_date": day}}
    mirror.store_pre_hires([record], asked_at=timezone.now())
    assert PreHire.objects.get().sort_on == sort_on


@pytest.mark.parametrize(
    ("info", "sort_on"),
    [
        (
            {"offboarding_date": "2026-03-31", "expected_offboarding_date": "2026-03-01"},
            date(2026, 3, 31),
        ),
        ({"expected_offboarding_date": "2026-03-01"}, date(2026, 3, 1)),
        ({}, date.max),
    ],
)
def test_an_offboarding_sorts_by_its_last_day_or_the_one_wished_for(info, sort_on):
    record = {"offboarding_id": "72", "status": "Approved", "offboarding_info": info}
    mirror.store_offboardings([record], asked_at=timezone.now() + timedelta(seconds=1))
    assert Offboarding.objects.get().sort_on == sort_on
