"""A thousand things done in Feishu itself, in any order, some of them announced: each is told
once, with the right field and source, within one cycle."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import action_log
from lifecycle.models import ChangeEvent, Offboarding, PreHire, PushedEvent
from lifecycle.services import pushes, sync
from tests.conftest import PEOPLE as SMALL
from tests.polling.conftest import logged, poll, read_everything, told
from tests.polling.test_change_events import Console
from tests.polling.test_pushes import KEY, TOKEN, an_event, push

pytestmark = [pytest.mark.django_db, pytest.mark.thorough, pytest.mark.timeout(600)]

THOUSAND, DELETED, NEW, PEOPLE = 1000, 12, 12, 240
ANNOUNCED = {"pre_hires": 0.6, "offboardings": 0.6}


@pytest.fixture(autouse=True)
def _announcing(settings) -> None:
    settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN = KEY, TOKEN


@pytest.fixture
def large_company(sandbox):
    """Large enough for a thousand edits of which none undoes another."""
    sandbox.reset(people=PEOPLE, seed=3)
    for kind in sync.KINDS:
        sync.sync_kind(kind)
    yield sandbox
    sandbox.reset(people=SMALL, seed=1)


class Busy(Console):
    """A console that edits, takes away and announces; part of the announcements get lost, others
    come twice or before the search shows what they are about."""

    def __init__(self, sandbox, chance: random.Random) -> None:
        super().__init__(sandbox, chance)
        self.taken_away = {
            (kind, row.feishu_id)
            for kind, rows in (
                ("pre_hires", PreHire.objects.filter(onboarding_status="preboarding")),
                ("offboardings", Offboarding.objects.filter(status="Approved")),
            )
            for row in chance.sample(list(rows), min(DELETED // 2, len(rows) // 4))
        }
        self.left = [step for step in self.left if step[:2] not in self.taken_away]
        assert len(self.left) >= THOUSAND, "a larger company is needed"
        self.to_delete = sorted(self.taken_away)
        chance.shuffle(self.to_delete)

    def edit(self) -> None:
        if self.to_delete and self.chance.random() < DELETED / THOUSAND * 2:
            self.sandbox.delete(*self.to_delete.pop())
            return
        kind, record_id, _ = self.left[-1]
        super().edit()
        for copy in range(2):
            if self.chance.random() < ANNOUNCED.get(kind, 0):
                self.announce(kind, record_id, copy)

    def announce(self, kind: str, record_id: str, copy: int) -> None:
        event_id = f"e-{len(self.done)}-{copy * self.chance.randrange(2)}"
        if kind == "pre_hires":
            event = an_event("corehr.pre_hire.updated_v1", event_id, pre_hire_id=record_id)
        else:
            employment = Offboarding.everyone.get(feishu_id=record_id).employment_id
            event = an_event("corehr.offboarding.updated_v2", event_id, employment_id=employment)
        assert push(event) == 200

    def finish(self) -> None:
        for kind, record_id in self.to_delete:
            self.sandbox.delete(kind, record_id)


def minutes_pass() -> None:
    for model in (PreHire, Offboarding):
        model.everyone.exclude(missing_since=None).update(
            missing_since=timezone.now() - timedelta(minutes=5)
        )


def read_what_was_announced() -> None:
    PushedEvent.objects.exclude(due_at=None).update(due_at=timezone.now())
    pushes.read_due(at=timezone.now())


def test_each_is_told_once(large_company):
    company, chance = large_company, random.Random(7)
    new = list(PreHire.objects.order_by("pk")[:NEW])
    for row in new:
        row.delete()
    console = Busy(company, chance)
    company.options(search_lag_s=0.3)
    for number in range(THOUSAND):
        console.edit()
        if number % 50 == 49:
            poll(*chance.sample(["pre_hires", "offboardings", "talents", "applications"], 2))
            read_what_was_announced()
    console.finish()
    company.options(search_lag_s=0)
    for _ in range(3):
        read_everything()
        read_what_was_announced()
        minutes_pass()
    gone = {(kind.replace("_", "-"), pk, "") for kind, pk in console.taken_away}
    came = {("pre-hires", row.feishu_id, "") for row in new}
    counted = told()
    assert set(counted) == console.done | gone | came
    assert {key: times for key, times in counted.items() if times > 1} == {}
    assert len(console.done) + len(gone) >= THOUSAND
    announced = set(ChangeEvent.objects.filter(source="push").values_list("record_kind", flat=True))
    assert announced == {"pre-hires", "offboardings"}
    assert not ChangeEvent.objects.filter(source="ours").exists()
    words = {(kind, pk, "gone") for kind, pk, _ in gone} | {(k, pk, "came") for k, pk, _ in came}
    assert logged() == console.done | words
    assert list(action_log.verify())[-1].is_whole
