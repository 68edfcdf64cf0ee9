"""Any order of requests, faults, deaths, console edits and verdicts, and what always holds.

Hypothesis drives the real services, the real worker and a real HTTP tenant. The letters I1
to I16 are the invariants of docs/architecture.md. `PROTOCOL_EXAMPLES=500` runs longer;
a failure prints the blob and the seed that repeat it.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as portal
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lifecycle import action_log, remote
from lifecycle.changes import protocol
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.plan import image_hash
from lifecycle.errors.problems import ChangeBlocked, StalePlan, StepNotAllowed
from lifecycle.models import ActionEntry, Attempt, Employee, StatusChange
from lifecycle.rules import CHANGE_STEPS, EXCLUSIVE_STATUSES, ChangeStatus, may_move
from lifecycle.services import changes as change_services

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "60"))
STEPS = int(os.environ.get("PROTOCOL_STEPS", "14"))
PEOPLE = 3
SETTLE = timedelta(seconds=60)
SHIFTED = {
    StatusChange: (
        "created_at", "effective_at", "next_run_at", "claimed_until", "verifying_since",
        "unapplied_read_at",
    ),
    Attempt: ("started_at", "deadline_at", "lease_until"),
}  # fmt: skip
FAULTS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "reset_after"},
    {"kind": "error_before"},
    {"kind": "error_after"},
    {"kind": "truncated_header"},
    {"kind": "truncated_body"},
    {"kind": "garbage"},
    {"kind": "late", "delay_s": 0.05},
    {"kind": "throttle"},
    {"kind": "expired_token"},
    {"kind": "code", "code": 1002001, "http_status": 500, "applied": True},
    {"kind": "code", "code": 1002001, "http_status": 500},
    {"kind": "code", "code": 1002908, "http_status": 400},
    {"kind": "code", "code": 1002902, "http_status": 400},
    {"kind": "code", "code": 7654321, "http_status": 200, "applied": True},
)
USES_ATTEMPT = ("applied", "rejected", "unknown")
WHO = st.integers(0, PEOPLE - 1)
WHICH = st.integers(0, 30)
EDITS = st.sampled_from(["due", "left", "converted"])


class Portal(RuleBasedStateMachine):
    """One example. `world` is what pytest's fixtures have prepared, the same for each."""

    world: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.tenant = self.world["tenant"]
        self.mei, self.hua = self.world["mei"], self.world["hua"]
        # What an example writes is taken back at its end, as a TestCase does it.
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True
        self.atomic.__enter__()
        self.tenant.reset()
        self.people = list(Employee.objects.filter(pk__in=self.world["people"]).order_by("pk"))
        self.subjects = {employee.feishu_id for employee in self.people}
        self.now = timedelta(0)
        self.sender: dict[str, int] = {}
        self.effects: dict[int, int] = defaultdict(int)
        self.reads: dict[int, list[timedelta]] = defaultdict(list)
        self.sent_at: dict[int, timedelta] = {}
        self.settled_by_console: set[str] = set()
        self.dirty: set[str] = set()
        self.seen_effects = 0
        self.seen_requests = 0
        self.first_entry = ActionEntry.objects.count()

    # -- what people and the world do -----------------------------------------------------

    @rule(who=WHO)
    def ask(self, who: int) -> None:
        plan = self.plan(who)
        key = str(uuid4())
        try:
            change = self.confirm(plan, key)
        except (ChangeBlocked, StalePlan):
            assert plan.is_blocked
            return
        assert self.confirm(plan, key).pk == change.pk  # I15

    @rule(who=WHO)
    def ask_beside_an_open_change(self, who: int) -> None:
        """As two people would who confirmed at the same moment, or an older release."""
        protocol.submit(
            self.plan(who),
            submission_key=str(uuid4()),
            reason="",
            acting_user=self.mei,
            at=timezone.now(),
        )

    @rule(which=WHICH, fault=st.sampled_from(FAULTS))
    def work(self, which: int, fault: dict[str, Any] | None) -> None:
        change = self.one_of(which)
        if change is not None:
            self.step(change, fault)

    @rule(who=WHO, fault=st.sampled_from(FAULTS), settle=st.booleans())
    def ask_send_and_wait(self, who: int, fault: dict[str, Any] | None, settle: bool) -> None:
        """The usual story as one step, so that short examples reach the interesting ends."""
        self.ask(who)
        change = self.open_changes().filter(subject_id=self.people[who].feishu_id).last()
        if change is None:
            return
        self.step(change, fault)
        if settle:
            self.time_passes(90)
            self.step(change, None)

    @rule(who=WHO, fault=st.sampled_from(FAULTS[1:]), edit=EDITS, give_up=st.booleans())
    def ask_send_and_be_overtaken(
        self, who: int, fault: dict[str, Any], edit: str, give_up: bool
    ) -> None:
        """No clear answer, and the console has changed the record before anybody looks."""
        self.ask_send_and_wait(who, fault, settle=False)
        self.console_edit(who, edit)
        change = self.open_changes().filter(subject_id=self.people[who].feishu_id).last()
        if change is None:
            return
        self.time_passes(90)
        self.step(change, None)
        if give_up:
            self.try_to_cancel(change)

    @rule(which=WHICH, was_sent=st.booleans())
    def worker_dies(self, which: int, was_sent: bool) -> None:
        """Between the commit of the attempt and the commit of its answer."""
        change = self.one_of(which)
        if change is None or change.status != ChangeStatus.APPROVED:
            return
        if protocol._has_earlier(change) or not self.facts_are_as_planned(change):
            return
        claimed = protocol._claim(change.pk, timezone.now())
        if claimed is None:
            return
        if protocol._begin_attempt(claimed) is not None and was_sent:
            self.sender[claimed.subject_id] = claimed.pk
            remote.client().send(remote.Call.from_canonical(claimed.payload))
        self.sent_at[claimed.pk] = self.now
        self.reads[claimed.pk].clear()
        self.observe()

    @rule(seconds=st.sampled_from([2, 14, 45, 61, 90, 1000]))
    def time_passes(self, seconds: int) -> None:
        """Everything that is dated moves into the past; late requests have arrived by then."""
        while self.tenant.info()["late_pending"]:
            time.sleep(0.01)
        delta = timedelta(seconds=seconds)
        for model, names in SHIFTED.items():
            model.objects.update(**{name: F(name) - delta for name in names})
        self.now += delta
        remote.EndpointGate.objects.all().delete()
        self.observe()

    @rule()
    def sweeper_comes_round(self) -> None:
        """Leases first, then everything that is due."""
        protocol.expire_leases(timezone.now())
        for change_id in protocol.due(timezone.now()):
            self.step(StatusChange.objects.get(pk=change_id), None)

    @rule(who=WHO, edit=EDITS)
    def console_edit(self, who: int, edit: str) -> None:
        subject = self.people[who].feishu_id
        record = self.tenant.record("employees", subject)
        fields = self.edited(record, edit)
        if self.would_hide_an_effect(record | fields):
            return
        self.tenant.patch("employees", subject, **fields)
        after = record | fields
        if edit != "due" and after["onboard_status"] == 1:
            # The end a change wanted, converted or not: by this edit alone, or by bringing
            # back somebody for whom a change had been sent before.
            self.settled_by_console.add(subject)
        self.dirty.add(subject)
        self.observe()

    def edited(self, record: dict[str, Any], edit: str) -> dict[str, int]:
        if edit == "due":
            due = record["expected_conversion_time"] or 1767052800000
            return {"expected_conversion_time": due + 86_400_000}
        if edit == "left":
            left = 2 if record["onboard_status"] == 1 else 1
            return {"onboard_status": left, "overboard_time": 1767110400000 if left == 2 else 0}
        converted = 2 if record["conversion_status"] == 1 else 1
        when = self.today_ms() if converted == 2 else 0
        return {"conversion_status": converted, "actual_conversion_time": when}

    def would_hide_an_effect(self, record: dict[str, Any]) -> bool:
        """Taking back in the console what a change under way has just done leaves nothing
        to see: Hire's record has no moment of its last change, so the portal would do it
        again. No reading can tell."""
        under_way = StatusChange.objects.filter(
            subject_id=record["id"], status__in=("in_flight", "verifying", "needs_attention")
        )
        return any(
            self.effects[change.pk] and image_hash(self.facts(record)) == change.pre_image_hash
            for change in under_way
        )

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        change = self.one_of(which)
        if change is not None:
            self.try_to_cancel(change)

    def try_to_cancel(self, change: StatusChange) -> None:
        change.refresh_from_db()
        allowed = change.status == ChangeStatus.APPROVED or (
            change.status == ChangeStatus.NEEDS_ATTENTION and not change.attempts.exists()
        )
        try:
            change_services.cancel_change(change, acting_user=self.mei, at=timezone.now())
        except StepNotAllowed:
            assert not allowed
        else:
            assert allowed

    @precondition(lambda self: self.undecided().exists())
    @rule(which=WHICH, look_again=st.booleans())
    def verdict(self, which: int, look_again: bool) -> None:
        undecided = list(self.undecided())
        self.decide(undecided[which % len(undecided)], look_again=look_again)

    # -- what always holds ----------------------------------------------------------------

    @invariant()
    def one_change_of_a_person_is_under_way(self) -> None:  # I7
        exclusive = StatusChange.objects.filter(
            status__in=[status.value for status in EXCLUSIVE_STATUSES]
        ).values_list("person_id", flat=True)
        assert len(exclusive) == len(set(exclusive))

    @invariant()
    def each_change_has_at_most_one_effect(self) -> None:  # I1
        assert all(count <= 1 for count in self.effects.values()), dict(self.effects)

    @invariant()
    def no_effect_of_what_has_come_to_nothing(self) -> None:  # I3
        for change in StatusChange.objects.filter(status__in=("failed", "cancelled", "approved")):
            assert self.effects[change.pk] == 0, change.status

    @invariant()
    def attempts_are_numbered_and_within_the_budget(self) -> None:  # I9
        for change in StatusChange.objects.prefetch_related("attempts"):
            attempts = list(change.attempts.all())
            assert [a.number for a in attempts] == list(range(1, len(attempts) + 1))
            assert change.attempts_used == sum(a.outcome in USES_ATTEMPT for a in attempts)
            assert change.attempts_used <= portal.ATTEMPT_BUDGET

    @invariant()
    def log_tells_every_step_and_only_the_allowed_ones(self) -> None:  # I10, I11
        told: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for entry in ActionEntry.objects.filter(seq__gt=self.first_entry).order_by("seq"):
            data = json.loads(entry.body)["data"]
            if entry.change_id and "to" in data:
                told[entry.change_id].append((data.get("from", ""), data["to"]))
        for change in StatusChange.objects.all():
            steps = told[change.pk]
            assert steps[0] == ("", "approved")
            assert len(steps) - 1 == change.version
            assert steps[-1][1] == change.status
            for (_, before), (start, target) in pairwise(steps):
                assert start == before
                assert may_move(ChangeStatus(start), ChangeStatus(target))

    def teardown(self) -> None:
        try:
            self.drive_to_rest()
            self.check_ends()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def drive_to_rest(self) -> None:  # I12
        for _ in range(40):
            if not self.open_changes().exists():
                return
            for change in self.undecided():
                self.decide(change, look_again=False)
            self.time_passes(90)
            self.sweeper_comes_round()
        left = list(self.open_changes().values_list("pk", "status", "problem"))
        raise AssertionError(f"still open with all faults off: {left}")

    def check_ends(self) -> None:  # I2, I3
        for change in StatusChange.objects.all():
            count, via = self.effects[change.pk], change.settled_via
            note(f"change {change.pk}: {change.kind} {change.status} {via}, {count} effects")
            if change.status != ChangeStatus.SUCCEEDED:
                assert count == 0
            elif via == "answer":
                assert count == 1
            elif via == "already":
                assert count == 0
            elif via == "readback":
                # What the console did to the same end cannot be told from our own doing.
                assert change.attempts.exists()
                assert count == 1 or change.subject_id in self.settled_by_console
        assert list(action_log.verify())[-1].bad_seq is None
        for subject in self.subjects - self.dirty:
            record = self.tenant.record("employees", subject)
            mirrored = Employee.objects.get(feishu_id=subject)
            assert self.facts(mirrored.payload) == self.facts(record)

    # -- helpers --------------------------------------------------------------------------

    def plan(self, who: int):
        employee = Employee.objects.get(pk=self.people[who].pk)
        kind = "undo_conversion" if employee.is_converted else "convert_employee"
        values = {} if employee.is_converted else {"converted_on": timezone.localdate()}
        return change_services.plan_change(
            kind_named(kind),
            employee,
            values,
            acting_user=self.mei,
            submission_key=str(uuid4()),
            at=timezone.now(),
        )

    def confirm(self, plan, key: str) -> StatusChange:
        return change_services.submit_change(
            plan.kind,
            plan.record,
            plan.values,
            acting_user=self.mei,
            submission_key=key,
            pre_image_hash=plan.pre_image_hash,
            payload_hash=plan.payload_hash,
            at=timezone.now(),
        )

    def step(self, change: StatusChange, fault: dict[str, Any] | None) -> None:
        """One step of a worker on one change, watched."""
        before = StatusChange.objects.get(pk=change.pk)
        as_planned = self.facts_are_as_planned(before)
        in_order = not protocol._has_earlier(before)
        due = before.effective_at <= timezone.now()
        self.sender[before.subject_id] = before.pk
        tried = before.attempts.count()
        reads, writes = self.counts(before.subject_id)
        if fault is not None:
            self.tenant.fault(**fault, endpoint="A2")
        protocol.run(before.pk)
        self.tenant.clear_faults()
        more_reads, more_writes = self.counts(before.subject_id)
        after = StatusChange.objects.get(pk=change.pk)
        if before.status == ChangeStatus.VERIFYING and more_reads > reads:
            self.reads[before.pk].append(self.now)
        if more_reads > reads:
            self.dirty.discard(before.subject_id)
        if after.attempts.count() > tried:
            self.sent_at[before.pk] = self.now
            self.reads[before.pk].clear()
        if more_writes > writes:
            assert as_planned, "I6: written over a change made after it was asked for"
            assert in_order, "I8: sent before an earlier change of the same person"
            assert due, "I8: sent before its day"
            assert more_writes == writes + 1
        if before.status == "verifying" and after.status in ("approved", "needs_attention"):
            assert as_planned or after.status == "needs_attention", "sent again over an edit"
            self.check_patience(before, after)
        self.observe()

    def check_patience(self, before: StatusChange, after: StatusChange) -> None:  # I16
        if after.problem not in ("", "change.not-applied"):
            return
        reads = self.reads[before.pk]
        assert len(reads) >= 2, "decided after a single read"
        assert reads[-1] - reads[0] >= portal.SETTLE_READ_GAP - timedelta(seconds=1)
        if before.pk in self.sent_at:
            assert reads[0] - self.sent_at[before.pk] >= SETTLE - timedelta(seconds=1)

    def observe(self) -> None:
        """What Feishu has seen since the last look. I4: nothing but committed attempts."""
        effects = self.tenant.effects()
        for effect in effects[self.seen_effects :]:
            if effect["source"] == "api":
                self.effects[self.sender[effect["subject"]]] += 1
        self.seen_effects = len(effects)
        writes = self.tenant.requests(writes=True)
        for request in writes[self.seen_requests :]:
            change = StatusChange.objects.get(pk=self.sender[request["path"].rsplit("/", 1)[-1]])
            assert request["body"] == json.loads(change.payload)["body"]
            assert change.attempts.last().request_hash == change.payload_hash
        self.seen_requests = len(writes)
        assert len(writes) <= Attempt.objects.count()

    def counts(self, subject: str) -> tuple[int, int]:
        """Answered reads and writes of one employee."""
        mine = [r for r in self.tenant.requests() if r["path"].endswith(subject)]
        return (
            sum(r["method"] == "GET" for r in mine),
            sum(r["method"] == "PATCH" for r in mine),
        )

    def decide(self, change: StatusChange, *, look_again: bool) -> None:
        """Hua looks into Feishu's own log of changes, so what she says is true."""
        truth = "applied" if self.effects[change.pk] else "not_applied"
        change_services.decide_change(
            change,
            verdict="look_again" if look_again else truth,
            reason="looked it up",
            acting_user=self.hua,
            at=timezone.now(),
        )
        self.sent_at.pop(change.pk, None)
        self.reads[change.pk].clear()

    def facts(self, record: dict[str, Any]) -> dict[str, Any]:
        return kind_named("convert_employee").facts(record)

    def facts_are_as_planned(self, change: StatusChange) -> bool:
        record = self.tenant.record("employees", change.subject_id)
        return image_hash(self.facts(record)) == change.pre_image_hash

    def open_changes(self):
        return StatusChange.objects.filter(
            status__in=[status.value for status in CHANGE_STEPS]
        ).order_by("pk")

    def undecided(self):
        return self.open_changes().filter(status=ChangeStatus.NEEDS_ATTENTION.value)

    def one_of(self, which: int) -> StatusChange | None:
        changes = list(self.open_changes())
        return changes[which % len(changes)] if changes else None

    def today_ms(self) -> int:
        return remote.times.day_to_ms(timezone.localdate(), remote.tenant_zone())


@pytest.fixture
def world(mirror, mei, hua, settings) -> dict[str, Any]:
    settings.SETTLE_AFTER = dict.fromkeys(settings.SETTLE_AFTER, SETTLE)
    people = Employee.objects.filter(
        onboard_status="onboarded", conversion_status="not_converted", employment_id=""
    ).order_by("pk")[:PEOPLE]
    return {
        "tenant": mirror,
        "mei": mei,
        "hua": hua,
        "people": [employee.pk for employee in people],
    }


@pytest.mark.django_db
class TestLookAgain:
    def test_at_a_change_that_was_never_sent_reads_nothing_back(
        self, asking, bo, mirror, worker, hua
    ):
        """It went stale unsent; since then somebody has done it in the console."""
        change = asking.ask(bo)
        mirror.patch("employees", bo.feishu_id, onboard_status=2, overboard_time=1767110400000)
        assert worker(change).status == "needs_attention"
        wanted = json.loads(change.payload)["body"]["conversion_info"]["actual_conversion_time"]
        mirror.patch(
            "employees",
            bo.feishu_id,
            onboard_status=1,
            overboard_time=0,
            conversion_status=2,
            actual_conversion_time=wanted,
        )
        change_services.decide_change(
            change, verdict="look_again", reason="?", acting_user=hua, at=timezone.now()
        )
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert mirror.requests(writes=True) == []


@pytest.mark.django_db
@pytest.mark.timeout(0)
def test_protocol_keeps_its_promises(world):
    Portal.world = world
    run_state_machine_as_test(
        Portal,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # The ordinary suite takes the same cases every time; a longer run asked for by
            # PROTOCOL_EXAMPLES takes new ones, and prints how to repeat what it finds.
            derandomize="PROTOCOL_EXAMPLES" not in os.environ,
            database=None,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
