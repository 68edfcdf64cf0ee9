"""The rules of the property test: what people, workers, Feishu and its console may do.

Hypothesis drives the real services, the real worker and a real HTTP tenant; watch.py says what
has to hold meanwhile. Rules are whole stories where a single step would seldom lead anywhere.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lifecycle import action_log, remote
from lifecycle.changes import protocol
from lifecycle.changes.kinds import ALL, Kind, kind_named
from lifecycle.changes.plan import Plan
from lifecycle.errors.problems import (
    ApprovalRefused,
    ApprovalVoid,
    ChangeBlocked,
    StalePlan,
    StepNotAllowed,
    VerdictRefused,
)
from lifecycle.models import Attempt, StatusChange, User
from lifecycle.models.mirror import Mirrored
from lifecycle.sandbox.control import SandboxControl
from lifecycle.services import approvals, guards
from lifecycle.services import changes as change_services
from tests.changes.properties import faults, verbs
from tests.changes.properties.verbs import DAILY_LIMITS, VERBS, Place
from tests.changes.properties.watch import FINAL, Broken, Seen, Watch, require
from tests.changes.properties.workers import (
    Death,
    Dying,
    Overtaken,
    at_entry,
    at_statement,
)

Status = StatusChange.Status
PLACES = 8
# Endpoints that refuse what is done already.
GUARDED = ("A1", "A2", "A3")
SHIFTED = {
    StatusChange: (
        "created_at", "effective_at", "next_run_at", "claimed_until", "verifying_since",
        "unapplied_read_at",
    ),
    Attempt: ("started_at", "deadline_at", "lease_until"),
}  # fmt: skip
# Longer than any settle time, than any lease, and than a worker may doubt what it reads.
A_WHILE, A_LONG_WHILE = 310, 1000
DAYS = 4 * 86_400

PLACE = st.integers(0, PLACES - 1)
PICK = st.integers(0, 4)
WHICH = st.integers(0, 30)
FAULT = st.sampled_from(faults.NAMES)
SILENT = st.sampled_from(faults.SILENT)
EDIT = st.integers(0, 3)
MOMENT = st.one_of(
    st.just("sent"),
    st.integers(0, 2).map(lambda number: ("entry", number)),
    st.integers(0, 45),
)
AFTER = st.integers(0, 16)


@dataclass
class World:
    """What is prepared once and the same for each example."""

    tenant: SandboxControl
    mei: User
    hua: User
    # Whoever is the subject of a change, with a role that may approve.
    bo: User
    places: list[Place]


class Portal(RuleBasedStateMachine):
    """One example. Mei asks; Hua is the second person and decides."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.tenant = self.world.tenant
        self.mei, self.hua = self.world.mei, self.world.hua
        # What an example writes is taken back at its end, as a TestCase does it.
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True
        self.atomic.__enter__()
        self.tenant.reset()
        self.watch = Watch(self.tenant)
        self.late: list[tuple[float, int]] = []
        self.number = 0
        self.confirmed: Counter[str] = Counter()
        self.paused: dict[str, float] = {}
        self.stopped = False
        self.disturbed = False

    # -- asking ---------------------------------------------------------------------------

    @rule(place=PLACE, pick=PICK, tomorrow=st.booleans())
    def ask(self, place: int, pick: int, tomorrow: bool) -> None:
        self.asked(place, pick, days=int(tomorrow))

    def asked(self, place: int, pick: int, *, days: int = 0) -> StatusChange | None:
        """The change, None where the plan says why it cannot be."""
        plan = self.plan(place, pick, days=days)
        if plan is None:
            return None
        try:
            change = self.confirm(plan)
        except (ChangeBlocked, StalePlan):
            assert plan.is_blocked
            return None
        self.watch.note_plan(change)
        needs_second = self.confirmed[change.kind] >= DAILY_LIMITS[change.kind]
        self.confirmed[change.kind] += 1
        require(
            (change.status == Status.PENDING) == needs_second,
            "I5",
            f"change {change.pk} stands as {change.status}, a second person: {needs_second}",
        )
        try:
            again = self.confirm(plan).pk
        except (ChangeBlocked, StalePlan):
            again = None
        require(again == change.pk, "I15", f"form {plan.key} made {change.pk}, then {again}")
        return change

    @rule(place=PLACE, pick=PICK, fault=FAULT)
    def ask_for_tomorrow(self, place: int, pick: int, fault: str) -> None:
        """Looked at on the day before, and then on the day itself."""
        change = self.ask_and_agree(place, pick, days=1)
        if change is not None:
            self.step(change)
            self.time_passes(86_400)
            self.step(change, fault)

    @rule(place=PLACE, pick=PICK)
    def ask_beside_an_open_change(self, place: int, pick: int) -> None:
        """As two people would who confirmed at the same moment, or an older release."""
        self.asked_beside(place, pick)

    def asked_beside(self, place: int, pick: int, awaits: str = "") -> StatusChange | None:
        plan = self.plan(place, pick)
        if plan is None:
            return None
        change = protocol.submit(
            plan,
            submission_key=plan.key,
            reason="",
            acting_user=self.mei,
            at=timezone.now(),
            awaits=awaits,
        )
        self.watch.note_plan(change)
        return change

    def plan(self, place: int, pick: int, *, days: int = 0) -> Plan | None:
        record = self.world.places[place].find()
        if record is None:
            return None
        kind = self.kind_for(record, pick)
        self.number += 1
        day = timezone.localdate() + timedelta(days=days)
        return change_services.plan_change(
            kind,
            record,
            VERBS[kind.name].values(day, self.number),
            acting_user=self.mei,
            submission_key=str(uuid4()),
            at=timezone.now(),
        )

    def kind_for(self, record: Mirrored, pick: int) -> Kind[Any]:
        """One that fits, as long as any does."""
        kinds = [kind for kind in ALL.values() if isinstance(record, kind.subject.model)]
        fitting = [kind for kind in kinds if kind.is_legal(record)] or kinds
        return fitting[pick % len(fitting)]

    def confirm(self, plan: Plan) -> StatusChange:
        return change_services.submit_change(
            plan.kind,
            plan.record,
            plan.values,
            acting_user=self.mei,
            submission_key=plan.key,
            pre_image_hash=plan.pre_image_hash,
            payload_hash=plan.payload_hash,
            at=timezone.now(),
        )

    # -- the worker -----------------------------------------------------------------------

    @rule(which=WHICH, fault=FAULT)
    def work(self, which: int, fault: str) -> None:
        change = self.one_of(which)
        if change is not None:
            self.step(change, fault)

    @rule(place=PLACE, pick=PICK, fault=FAULT, settle=st.booleans())
    def ask_send_and_wait(self, place: int, pick: int, fault: str, settle: bool) -> None:
        """The usual story as one step, so that short examples reach the interesting ends."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return
        self.step(change, fault)
        if settle:
            self.time_passes(A_WHILE)
            self.step(change)

    @rule(place=PLACE, pick=PICK, fault=SILENT, reads=st.sampled_from(["", "unreadable"]))
    def ask_and_look_too_early(self, place: int, pick: int, fault: str, reads: str) -> None:
        """A worker comes round again and again from the first moment on."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return
        self.step(change, fault)
        for seconds in (2, 14, 2, 14, 45, 2, 14):
            self.time_passes(seconds)
            self.step(change, reads if seconds == 45 else "")

    @rule(place=PLACE, pick=PICK, fault=st.sampled_from([faults.LOST, "unknown", "throttle"]))
    def ask_and_never_get_through(self, place: int, pick: int, fault: str) -> None:
        """Until there is no attempt left, or nobody has the patience."""
        change = self.ask_and_agree(place, pick)
        for _ in range(4):
            if change is None or self.fresh(change).status != Status.APPROVED:
                return
            self.step(change, fault)
            for seconds in (A_WHILE, 14, 14):
                self.time_passes(seconds)
                self.step_if(change, Status.VERIFYING)

    @rule(place=PLACE, pick=PICK, then=st.sampled_from(["already", "refused"]))
    def ask_and_be_told_it_is_done(self, place: int, pick: int, then: str) -> None:
        """Lost, found not to be done, sent again: and then Feishu says that it is."""
        change = self.ask_and_lose(place, pick)
        if change is not None:
            self.do_in_console(change)
            self.step(change, then)

    @rule(place=PLACE, pick=PICK, after=AFTER)
    def ask_and_have_it_done_far_too_late(self, place: int, pick: int, after: int) -> None:
        """Found not to be done, and Feishu does it while it is sent again."""
        change = self.ask_and_lose(place, pick)
        if change is None or faults.KEYS[kind_named(change.kind).endpoint.name] not in GUARDED:
            return

        def do_it() -> None:
            self.look(change)
            if self.watch.writes[change.pk] == 1:
                self.watch.too_late.add(change.pk)
                self.arrive(change)

        self.step(change, overtaken=Overtaken(after, do_it))

    def ask_and_lose(self, place: int, pick: int) -> StatusChange | None:
        """A change that was sent once, in vain, and waits to be sent again."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return None
        self.step(change, faults.LOST)
        for seconds in (A_WHILE, 14):
            self.time_passes(seconds)
            self.step_if(change, Status.VERIFYING)
        return change if self.fresh(change).status == Status.APPROVED else None

    @rule(place=PLACE, other=PLACE, pick=PICK)
    def ask_and_be_slowed_down(self, place: int, other: int, pick: int) -> None:
        """Feishu asks for rest: the endpoint is left alone, whoever wants to use it."""
        first = self.ask_and_agree(place, pick)
        if first is None:
            return
        self.asked(other, pick)
        self.step(first, "throttle")
        for change in self.of_status(Status.APPROVED):
            self.step(change)

    @rule(place=PLACE, pick=PICK, fault=SILENT, edit=EDIT, give_up=st.booleans())
    def ask_send_and_be_overtaken(
        self, place: int, pick: int, fault: str, edit: int, give_up: bool
    ) -> None:
        """No clear answer, and the console has changed the record before anybody looks."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return
        self.step(change, fault)
        self.console_edit(place, edit)
        self.time_passes(A_WHILE)
        self.step(change)
        if give_up:
            self.try_to_cancel(change)

    @rule(place=PLACE, pick=PICK, edit=EDIT)
    def ask_and_find_it_changed(self, place: int, pick: int, edit: int) -> None:
        """The console is faster than the worker."""
        change = self.ask_and_agree(place, pick)
        if change is not None:
            self.console_edit(place, edit)
            self.step(change)

    @rule(place=PLACE, pick=PICK, moment=MOMENT, fault=st.sampled_from(["", "drop_before", "late"]))
    def ask_and_die(self, place: int, pick: int, moment: Any, fault: str) -> None:
        """A worker dies at any moment of the send, and others come round."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return
        self.step(change, fault, dies=self.when(moment))
        for seconds in (61, 14):
            self.time_passes(seconds)
            self.sweeper_comes_round()

    @rule(which=WHICH, moment=MOMENT)
    def worker_dies(self, which: int, moment: Any) -> None:
        change = self.one_of(which)
        if change is not None:
            self.step(change, dies=self.when(moment))

    def when(self, moment: Any) -> Any:
        if moment == "sent":
            return lambda _sql: bool(self.tenant.requests(writes=True))
        return at_statement(moment) if isinstance(moment, int) else at_entry(moment[1])

    @rule(place=PLACE, pick=PICK, after=AFTER, fault=SILENT)
    def two_workers(self, place: int, pick: int, after: int, fault: str) -> None:
        """While one is about to send, an earlier change of the person is agreed to and sent."""
        earlier = self.asked_beside(place, pick, awaits="guard.daily-limit")
        later = self.asked_beside(place, pick)
        if earlier is None or later is None:
            return

        def overtake() -> None:
            self.look(later)
            if self.agree(earlier):
                self.step(earlier, fault)

        self.step(later, overtaken=Overtaken(after, overtake))

    @rule(place=PLACE, pick=PICK, after=AFTER, fault=st.sampled_from(["", "drop_after", "refused"]))
    def worker_hangs(self, place: int, pick: int, after: int, fault: str) -> None:
        """It goes on when others have long taken the change for lost."""
        change = self.ask_and_agree(place, pick)
        if change is None:
            return

        def meanwhile() -> None:
            self.look(change)
            sent = self.tried(change)
            # A process that stands still for so long finds its own time to send over.
            if not sent or self.watch.writes[change.pk] >= sent:
                self.time_passes(A_WHILE)
                self.sweeper_comes_round()

        self.step(change, fault, overtaken=Overtaken(after, meanwhile))

    @rule(place=PLACE, pick=PICK, after=AFTER)
    def stopped_meanwhile(self, place: int, pick: int, after: int) -> None:
        """All writing is stopped while a worker is about to send."""
        change = self.ask_and_agree(place, pick)
        if change is None or self.stopped:
            return
        tried: list[int] = []

        def stop() -> None:
            tried.append(self.tried(change))
            self.stop_writes()

        self.step(change, overtaken=Overtaken(after, stop))
        if tried:
            require(self.tried(change) == tried[0], "STOP", "an attempt began after the stop")
            self.step(change)
            self.start_writes()

    @rule(which=WHICH, fault=FAULT, seconds=st.sampled_from([2, A_WHILE]))
    def stop_for_a_while(self, which: int, fault: str, seconds: int) -> None:
        """What is open is looked at, nothing is sent; then it goes on."""
        if self.stopped:
            return
        self.stop_writes()
        for change in self.open_changes():
            self.step(change)
        self.time_passes(seconds)
        self.sweeper_comes_round()
        self.start_writes()
        change = self.one_of(which)
        if change is not None:
            self.step(change, fault)

    def stop_writes(self) -> None:
        guards.stop_writes(reason="halt", acting_user=self.mei, at=timezone.now())
        self.stopped = True

    def start_writes(self) -> None:
        guards.start_writes(reason="go on", acting_user=None, at=timezone.now())
        self.stopped = False

    @rule()
    def sweeper_comes_round(self) -> None:
        """Leases first, then everything that is due."""
        at = timezone.now()
        protocol.expire_leases(at)
        approvals.expire_overdue(at)
        running = Attempt.objects.filter(finished_at=None, lease_until__lte=at)
        require(not running.exists(), "I12", "an attempt runs on after its lease")
        for change_id in protocol.due(at):
            self.step(StatusChange.objects.get(pk=change_id))

    # -- time and Feishu ------------------------------------------------------------------

    @rule(seconds=st.sampled_from([2, 14, 45, 75, A_WHILE, A_LONG_WHILE]))
    def time_passes(self, seconds: int) -> None:
        """Everything that is dated moves into the past; what Feishu was late with is done."""
        delta = timedelta(seconds=seconds)
        for model, names in SHIFTED.items():
            model.objects.update(**{name: F(name) - delta for name in names})
        self.watch.skip(seconds)
        remote.EndpointGate.objects.update(paused_until_ms=F("paused_until_ms") - seconds * 1000)
        for endpoint, until in list(self.paused.items()):
            # A worker would wait for it in earnest.
            if until - self.watch.clock() < protocol.SLOT_PATIENCE_S + 5:
                del self.paused[endpoint]
        if not self.paused:
            remote.EndpointGate.objects.all().delete()
        self.do_what_is_late()

    @rule()
    def days_pass(self) -> None:
        self.time_passes(DAYS)
        self.sweeper_comes_round()

    def do_what_is_late(self) -> None:
        now = self.watch.clock()
        arrived = [pk for due_at, pk in self.late if due_at <= now]
        self.late = [(due_at, pk) for due_at, pk in self.late if due_at > now]
        for pk in arrived:
            self.arrive(StatusChange.objects.get(pk=pk))

    def arrive(self, change: StatusChange) -> None:
        """Feishu does what it was asked for some time ago."""
        remote.client().send(remote.Call.from_canonical(change.payload))
        self.watch.look(change, is_late=True)
        self.who_else_has_done_it()

    @rule(place=PLACE, edit=EDIT)
    def console_edit(self, place: int, edit: int) -> None:
        self.number += 1
        noun, record_id = self.subject(place)
        record = verbs.record_or_none(self.tenant, noun, record_id) if record_id else None
        if record is None:
            return
        edits = verbs.edits_of(noun, record, self.number, self.today_ms())
        self.edit(noun, record, edits[edit % len(edits)])

    @rule(which=WHICH)
    def somebody_else_does_it(self, which: int) -> None:
        change = self.one_of(which)
        if change is not None:
            self.do_in_console(change)

    def do_in_console(self, change: StatusChange) -> None:
        noun = VERBS[change.kind].noun
        record = verbs.record_or_none(self.tenant, noun, change.subject_id)
        if record is None:
            return
        body = json.loads(change.payload)["body"]
        edit = verbs.edit_to(change.kind, record, body, self.today_ms())
        if edit is not None:
            self.edit(noun, record, edit)

    def edit(self, noun: str, record: dict[str, Any], edit: dict[str, Any]) -> None:
        self.tenant.patch(noun, record["id"], **edit)
        if self.hides_an_effect():
            self.tenant.patch(noun, record["id"], **verbs.undone(record, edit))
        self.who_else_has_done_it()

    def hides_an_effect(self) -> bool:
        """Taking back in the console what a change under way has just done leaves nothing
        to see: Feishu's records have no moment of their last change, so the portal would do
        it again. No reading can tell."""
        return any(
            self.watch.effects[change.pk] and self.watch.is_as_planned(change)
            for change in self.open_changes()
        )

    def who_else_has_done_it(self) -> None:
        for change in self.open_changes():
            if not self.watch.effects[change.pk]:
                body = json.loads(change.payload)["body"]
                if VERBS[change.kind].reached(self.watch.truth(change), body):
                    self.watch.made_by_others.add(change.pk)

    # -- people ---------------------------------------------------------------------------

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        """Of any change, those that are over as well."""
        changes = list(StatusChange.objects.order_by("pk"))
        if changes:
            self.try_to_cancel(changes[which % len(changes)])

    def try_to_cancel(self, change: StatusChange) -> None:
        change.refresh_from_db()
        allowed = change.status in (Status.PENDING, Status.APPROVED) or (
            change.status == Status.NEEDS_ATTENTION and not change.attempts.exists()
        )
        self.cancel_as_seen(change, is_allowed=allowed)

    def cancel_as_seen(self, change: StatusChange, *, is_allowed: bool) -> None:
        try:
            change_services.cancel_change(change, acting_user=self.mei, at=timezone.now())
        except StepNotAllowed:
            require(not is_allowed, "I10", f"change {change.pk} cannot be cancelled")
        except Error as error:
            raise Broken(f"I10 broken: only the database kept {change.pk}: {error}") from error
        else:
            require(is_allowed, "I10", f"change {change.pk} was cancelled, and may not be")

    @rule(which=WHICH, fault=FAULT)
    def cancel_what_has_moved(self, which: int, fault: str) -> None:
        """The page was open while a worker was at it."""
        shown = self.one_of(which)
        if shown is None or shown.status not in (Status.PENDING, Status.APPROVED):
            return
        self.step(self.fresh(shown), fault)
        self.cancel_as_seen(shown, is_allowed=self.fresh(shown).version == shown.version)

    @rule(place=PLACE, pick=PICK)
    def ask_and_cancel_an_old_page(self, place: int, pick: int) -> None:
        """It looks as it did when the page was opened, and has been to Feishu since."""
        shown = self.ask_and_agree(place, pick)
        if shown is not None and not self.stopped:
            shown = self.fresh(shown)
            self.step(self.fresh(shown), "throttle")
            self.cancel_as_seen(shown, is_allowed=self.fresh(shown).version == shown.version)

    @rule(place=PLACE, pick=PICK, end=st.sampled_from(["agree", "reject", "days_pass"]))
    def ask_and_be_judged(self, place: int, pick: int, end: str) -> None:
        """Everybody tries who must not, and then somebody who may, or nobody does."""
        change = self.asked_beside(place, pick, awaits="guard.daily-limit")
        if change is None:
            return
        for how in ("own", "other", "subject"):
            self.answer(change, how)
        if end == "days_pass":
            self.days_pass()
        else:
            self.answer(change, end)
            self.step(change)

    @precondition(lambda self: self.of_status(Status.PENDING))
    @rule(which=WHICH, how=st.sampled_from(["agree", "agree", "own", "other", "subject", "reject"]))
    def second_person(self, which: int, how: str) -> None:
        pending = self.of_status(Status.PENDING)
        self.answer(pending[which % len(pending)], how)

    def answer(self, change: StatusChange, how: str) -> None:
        if how == "agree":
            self.agree(change)
        elif how == "reject":
            approvals.reject_change(change, reason="no", acting_user=self.hua, at=timezone.now())
        elif how == "other":
            self.agree_in_vain(change, self.hua, payload_hash="0" * 64)
            self.agree_in_vain(change, self.hua, pre_image_hash="0" * 64)
        elif how == "own":
            self.agree_in_vain(change, self.mei)
        elif change.person.open_id == self.world.bo.open_id:
            self.agree_in_vain(change, self.world.bo)

    def agree_in_vain(self, change: StatusChange, user: User, **other: str) -> None:
        hashes = {"payload_hash": change.payload_hash, "pre_image_hash": change.pre_image_hash}
        try:
            approvals.approve_change(
                change, **(hashes | other), acting_user=user, at=timezone.now()
            )
        except (ApprovalRefused, StalePlan, change_services.NotAllowed):
            return
        except ApprovalVoid:
            pass
        require(False, "I5", f"change {change.pk}: {user} agreed {other or 'alone'}")

    def agree(self, change: StatusChange) -> bool:
        """What Hua agrees to is the plan that was shown, over the facts it was made of."""
        as_planned = self.watch.is_as_planned(change)
        try:
            approvals.approve_change(
                change,
                payload_hash=change.payload_hash,
                pre_image_hash=change.pre_image_hash,
                acting_user=self.hua,
                at=timezone.now(),
            )
        except ApprovalVoid:
            self.look(change)
            return False
        self.look(change)
        require(as_planned, "I6", f"change {change.pk} was agreed to over other facts")
        return True

    def ask_and_agree(self, place: int, pick: int, *, days: int = 0) -> StatusChange | None:
        change = self.asked(place, pick, days=days)
        if change is not None and change.status == Status.PENDING:
            return change if self.agree(change) else None
        return change

    @precondition(lambda self: self.of_status(Status.NEEDS_ATTENTION))
    @rule(which=WHICH, look_again=st.booleans())
    def verdict(self, which: int, look_again: bool) -> None:
        undecided = self.of_status(Status.NEEDS_ATTENTION)
        self.decide_in_vain(undecided[which % len(undecided)])
        self.decide(undecided[which % len(undecided)], look_again=look_again)

    def decide_in_vain(self, change: StatusChange) -> None:
        try:
            change_services.decide_change(
                change, verdict="applied", reason="?", acting_user=self.mei, at=timezone.now()
            )
        except (VerdictRefused, change_services.NotAllowed):
            return
        require(False, "I5", f"the asker of change {change.pk} has decided it")

    def decide(self, change: StatusChange, *, look_again: bool) -> None:
        """Hua looks into Feishu's own log of changes, so what she says is true."""
        truth = "applied" if self.watch.effects[change.pk] else "not_applied"
        change_services.decide_change(
            change,
            verdict="look_again" if look_again else truth,
            reason="looked it up",
            acting_user=self.hua,
            at=timezone.now(),
        )
        self.watch.sent_at.pop(change.pk, None)
        self.watch.read_at[change.pk].clear()

    # -- what always holds ----------------------------------------------------------------

    @invariant()
    def rows_and_log(self) -> None:
        self.watch.check_rows()

    def teardown(self) -> None:
        try:
            self.drive_to_rest()
            self.watch.check_rows()
            self.watch.check_ends()
            bad = list(action_log.verify())[-1].bad_seq
            require(bad is None, "I11", f"the chain of the log breaks at {bad}")
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def drive_to_rest(self) -> None:
        """I12: with all faults off everything settles, or reaches a person."""
        if self.stopped:
            self.start_writes()
        for turn in range(12):
            left = list(self.open_changes())
            if not left:
                return
            for change in left:
                if change.status == Status.NEEDS_ATTENTION:
                    self.decide(change, look_again=False)
                elif change.status == Status.PENDING:
                    self.agree(change)
            self.time_passes(86_400 if turn == 0 else A_WHILE)
            self.sweeper_comes_round()
        left = [(c.pk, c.kind, c.status, c.problem) for c in self.open_changes()]
        require(not left, "I12", f"still open with all faults off: {left}")

    # -- one step, watched ----------------------------------------------------------------

    def step(
        self,
        change: StatusChange,
        fault: str = "",
        *,
        dies: Any = None,
        overtaken: Overtaken | None = None,
    ) -> None:
        """One step of a worker on one change."""
        before = StatusChange.objects.get(pk=change.pk)
        watch, kind = self.watch, kind_named(before.kind)
        can_send = before.status == Status.APPROVED
        as_planned = watch.is_as_planned(before)
        in_order = not can_send or watch.is_in_order(before)
        due = before.effective_at <= timezone.now()
        was_stopped, was_paused = self.stopped, kind.endpoint.name in self.paused
        tried, started_at = self.tried(before), watch.clock()
        last = before.attempts.last()
        was_in_doubt = last is not None and last.outcome == "unknown"
        if fault:
            self.tenant.fault(**faults.fault(fault, faults.KEYS[kind.endpoint.name]))
        self.disturbed = False
        # What was read for a plan meanwhile is no reading of a worker.
        self.tenant.clear_requests()
        self.run(before, dies=dies, overtaken=overtaken)
        self.tenant.clear_faults()
        seen = self.look(before)
        after = StatusChange.objects.get(pk=change.pk)
        if overtaken is not None and overtaken.is_done:
            self.disturbed = True
        if seen.writes:
            require(seen.writes == 1, "I4", f"one step of {before.pk} sent {seen.writes} requests")
            self.note_what_comes_later(before, kind, fault, started_at)
        if self.tried(before) > tried:
            if was_in_doubt and not (overtaken is not None and overtaken.is_done):
                watch.check_patience(before, before)
            watch.sent_at[before.pk] = started_at
            watch.read_at[before.pk].clear()
        elif before.status == Status.VERIFYING and seen.readings:
            watch.read_at[before.pk].append(watch.clock())
        if self.disturbed:
            return
        if seen.writes:
            watch.check_sent(before, as_planned, in_order, due)
            require(not was_stopped, "STOP", f"change {before.pk} was sent while all was stopped")
            require(not was_paused, "I14", f"{before.pk} was sent while Feishu had asked for rest")
        if before.status == Status.VERIFYING and after.status in ("approved", "needs_attention"):
            require(
                as_planned or after.status == Status.NEEDS_ATTENTION,
                "I6",
                f"change {before.pk} is to be sent again over another change",
            )
            watch.check_patience(before, after)

    def run(self, change: StatusChange, *, dies: Any, overtaken: Overtaken | None) -> None:
        with ExitStack() as stack:
            if overtaken is not None:
                stack.enter_context(connection.execute_wrapper(overtaken))
            if dies is not None:
                stack.enter_context(connection.execute_wrapper(Dying(dies)))
            try:
                protocol.run(change.pk)
            except Death:
                return
            except AssertionError:
                raise
            except Exception as error:
                raise Broken(f"I12 broken: the worker stumbled over {error!r}") from error

    def note_what_comes_later(
        self, change: StatusChange, kind: Kind[Any], fault: str, sent_at: float
    ) -> None:
        if fault == faults.LATE:
            settle = settings.SETTLE_AFTER[kind.endpoint.name].total_seconds()
            self.late.append((sent_at + faults.LATE_SHARE * settle, change.pk))
        if fault == "throttle":
            self.paused[kind.endpoint.name] = self.watch.clock() + faults.PAUSE_S

    def step_if(self, change: StatusChange, status: str) -> None:
        if self.fresh(change).status == status:
            self.step(change)

    def look(self, change: StatusChange) -> Seen:
        seen = self.watch.look(change)
        if seen.writes:
            self.who_else_has_done_it()
        return seen

    # -- helpers --------------------------------------------------------------------------

    def subject(self, place: int) -> tuple[str, str]:
        """The noun and the id by which the tenant knows it; "" for nobody."""
        where = self.world.places[place]
        record = where.find()
        return where.noun, record.feishu_id if record else ""

    def tried(self, change: StatusChange) -> int:
        return Attempt.objects.filter(change_id=change.pk).count()

    def fresh(self, change: StatusChange) -> StatusChange:
        return StatusChange.objects.get(pk=change.pk)

    def open_changes(self) -> list[StatusChange]:
        return list(
            StatusChange.objects.exclude(status__in=FINAL).select_related("person").order_by("pk")
        )

    def of_status(self, status: str) -> list[StatusChange]:
        return [change for change in self.open_changes() if change.status == status]

    def one_of(self, which: int) -> StatusChange | None:
        changes = self.open_changes()
        return changes[which % len(changes)] if changes else None

    def today_ms(self) -> int:
        return remote.times.day_to_ms(timezone.localdate(), remote.tenant_zone())
