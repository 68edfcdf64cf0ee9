"""Every way an answer can go wrong, for each of the five writes, through the whole protocol.

One line per way in WAYS, tried on the first attempt and on one after an attempt nobody knows
the outcome of, and, where nobody can know, with Feishu having done it and not having done it.
The line to the sandbox breaks for that one write; afterwards everything works and time passes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lifecycle import action_log
from lifecycle.changes import invariants, protocol
from lifecycle.changes.kinds import kind_named
from lifecycle.models import (
    ActionEntry,
    Application,
    Attempt,
    Employee,
    EndpointGate,
    PreHire,
    StatusChange,
    Talent,
)
from lifecycle.models.mirror import Mirrored
from lifecycle.remote import Call, Outcome
from tests.feishu import servers
from tests.feishu.line import Line, answering, reset_unread
from tests.feishu.servers import Fault
from tests.offboardings import KINDS as OFFBOARDING_KINDS
from tests.offboardings import an_approved_offboarding

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

UNKNOWN, THROTTLED, AUTH = Outcome.UNKNOWN, Outcome.THROTTLED, Outcome.AUTH
NOT_SENT, REJECTED, APPLIED = Outcome.NOT_SENT, Outcome.REJECTED, Outcome.APPLIED
FINE = {"code": 0, "msg": "ok", "data": {}}
DEADLINE = timedelta(seconds=0.6)
HIRE = ("departments", "talents", "applications", "employees", "employments", "contacts")


# -- the five writes -----------------------------------------------------------------------


@dataclass(frozen=True)
class Write:
    """One of Feishu's calls through the verb that uses it. The codes: refused for good, one
    that an earlier success would explain, and one of Feishu's own errors."""

    verb: str
    mirrored: tuple[str, ...]
    find: Callable[[Any], Mirrored]
    values: Callable[[Mirrored], dict[str, Any]]
    operation: str
    no: int
    silent: int
    already: int | None = None
    # The answer that names another record than the one asked for.
    other: dict[str, Any] | None = None


def _today(name: str) -> Callable[[Mirrored], dict[str, Any]]:
    return lambda _: {name: timezone.localdate()}


WRITES = {
    "A1": Write(
        "onboard_talent", HIRE,
        lambda tenant: Talent.objects.get(
            feishu_id=tenant.records("talents", state="none")[0]["id"]
        ),
        _today("onboarded_on"), "onboard_talent", no=1002102, silent=1002001, already=1002103,
    ),
    "A2": Write(
        "convert_employee", HIRE,
        lambda _: Employee.objects.filter(
            onboard_status="onboarded", conversion_status="not_converted", employment_id=""
        ).order_by("due_sort_on", "pk")[0],
        _today("converted_on"), "convert",
        no=1002905, silent=1002001, already=1002902, other={"employee": {"id": "1"}},
    ),
    "A3": Write(
        "onboard_application", HIRE,
        lambda _: Application.objects.filter(
            stage_type="pre_hire", is_active=True
        ).order_by("pk")[0],
        _today("onboarded_on"), "onboard", no=1002901, silent=1002001, already=1002904,
        other={"employee": {"id": "1", "application_id": "2"}},
    ),
    "A4": Write(
        "edit_offboarding", OFFBOARDING_KINDS, an_approved_offboarding,
        lambda record: {
            "operator_id": "",
            "field_offboarding_date": record.offboards_on + timedelta(days=7),
        },
        "edit_offboarding", no=1160204, silent=1160103, already=1160631,
    ),
    "A5": Write(
        "update_pre_hire", (*HIRE, "pre_hires"),
        lambda _: PreHire.objects.filter(onboarding_status="preboarding").order_by("pk")[0],
        lambda record: {"worker_id": f"W{record.pk}"}, "update_pre_hire", no=1161021,
        silent=1160025, other={"pre_hire": {"id": "1"}},
    ),
}  # fmt: skip


# -- the ways ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """`says`: that a body comes with it, of which something must be kept. `fault` is None for
    those that let nobody connect."""

    name: str
    outcome: Outcome
    fault: Callable[[Write], Fault | None]
    says: bool = False
    unread: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def raw(outcome: Outcome, fault: Fault, **more: Any) -> Way:
    return Way(fault.__name__.replace("_", "-"), outcome, lambda _: fault, **more)


def answer(name: str, outcome: Outcome, status: str, body: Any, *headers: str) -> Way:
    made = answering(status, body, *headers)
    return Way(name, outcome, lambda _: made, says=body != b"")


def code(name: str, outcome: Outcome, status: str, number: Callable[[Write], int | None]) -> Way:
    def fault(write: Write) -> Fault | None:
        found = number(write)
        return found and answering(status, {"code": found, "msg": "in words", "data": {}})

    return Way(name, outcome, fault, says=True)


def _other(write: Write) -> Fault | None:
    return write.other and answering("200 OK", FINE | {"data": write.other})


RESET_1 = ("X-Ogw-Ratelimit-Limit: 20", "X-Ogw-Ratelimit-Reset: 1")
BUSY = {"code": 99991400, "msg": "request trigger frequency limit"}

WAYS = [
    # Nothing leaves.
    Way("refused", NOT_SENT, lambda _: None, options={"silent": False}),
    Way("nobody-answers-the-knock", NOT_SENT, lambda _: None, options={"silent": True}),
    # Nobody can know.
    raw(UNKNOWN, reset_unread, unread=True),
    raw(UNKNOWN, servers.reset),
    raw(UNKNOWN, servers.hang_up),
    raw(UNKNOWN, servers.hang),
    raw(UNKNOWN, servers.drip_header),
    raw(UNKNOWN, servers.drip_body),
    raw(UNKNOWN, servers.drip_body_without_length),
    raw(UNKNOWN, servers.cut_header),
    raw(UNKNOWN, servers.cut_body),
    raw(UNKNOWN, servers.not_http),
    raw(UNKNOWN, servers.endless_headers),
    raw(UNKNOWN, servers.zipped_rubbish),
    raw(UNKNOWN, servers.strange_encoding),
    raw(UNKNOWN, servers.bomb),
    raw(UNKNOWN, servers.brackets),
    raw(UNKNOWN, servers.shallow_brackets),
    raw(UNKNOWN, servers.redirect, says=True),
    raw(UNKNOWN, servers.html_200, says=True),
    raw(UNKNOWN, servers.html_502, says=True),
    raw(UNKNOWN, servers.text_code, says=True),
    answer("empty", UNKNOWN, "200 OK", b""),
    answer("list", UNKNOWN, "200 OK", [FINE]),
    answer("no-code", UNKNOWN, "200 OK", {"msg": "ok", "data": {}}),
    answer("null-code", UNKNOWN, "200 OK", FINE | {"code": None}),
    answer("true-code", UNKNOWN, "200 OK", FINE | {"code": False}),
    answer("fine-but-503", UNKNOWN, "503 Service Unavailable", b"upstream is busy"),
    answer("504", UNKNOWN, "504 Gateway Timeout", {"code": 2200, "msg": "Internal Error"}),
    Way("names-another-record", UNKNOWN, _other, says=True),
    code("own-error-with-400", UNKNOWN, "400 Bad Request", lambda write: write.silent),
    code("own-error-with-200", UNKNOWN, "200 OK", lambda write: write.silent),
    code("not-documented", UNKNOWN, "400 Bad Request", lambda _: 1999123),
    # Not now: nothing was done.
    raw(THROTTLED, servers.bare_429),
    answer("busy-429", THROTTLED, "429 Too Many Requests", BUSY, *RESET_1),
    answer("busy-400", THROTTLED, "400 Bad Request", BUSY, *RESET_1),
    raw(AUTH, servers.bare_401),
    answer("token-400", AUTH, "400 Bad Request", {"code": 99991663, "msg": "token"}),
    answer("token-200", AUTH, "200 OK", {"code": 99991671, "msg": "token"}),
    # No.
    code("no", REJECTED, "400 Bad Request", lambda write: write.no),
    code("no-with-500", REJECTED, "500 Internal Server Error", lambda write: write.no),
    code("already", REJECTED, "400 Bad Request", lambda write: write.already),
    # And as it should be.
    Way("fine", APPLIED, lambda _: None),
]
CASES = [
    pytest.param(endpoint, way, is_after, applied, id=f"{endpoint}-{way.name}-{when}-{did}")
    for endpoint, write in WRITES.items()
    for way in WAYS
    if way.options or way.outcome is APPLIED or way.fault(write)
    for is_after, when in ((False, "first"), (True, "after-an-unknown-one"))
    for applied, did in ((False, "not-done"), (True, "done"))
    if not applied or (way.outcome is UNKNOWN and not way.unread)
]


# -- the protocol --------------------------------------------------------------------------


class Story:
    """One change, one line, and what happens to them."""

    def __init__(self, line: Line, tenant: Any, change: StatusChange) -> None:
        self.line, self.tenant, self.change = line, tenant, change
        path = Call.from_canonical(change.payload).path.encode()
        self._is_own = re.compile(rb"^\S+ " + re.escape(path) + rb"[ ?]")

    @property
    def sent(self) -> int:
        return sum(1 for request in self.line.writes if self._is_own.match(request))

    @property
    def told(self) -> list[str]:
        entries = ActionEntry.objects.filter(change_id=self.change.pk).order_by("seq")
        return [entry.event for entry in entries]

    def step(self) -> StatusChange:
        """What the worker does when the change is due."""
        due_at = max(self.change.next_run_at or timezone.now(), timezone.now())
        EndpointGate.objects.filter(key__endswith="/pause").update(paused_until_ms=0)
        protocol.run(self.change.pk, at=due_at)
        self.change.refresh_from_db()
        return self.change

    def until(self, *ends: str) -> None:
        for _ in range(2000):
            if self.change.status in ends:
                return
            self.step()
        raise AssertionError(self.change.status)

    def effects(self) -> list[str]:
        return [
            effect["operation"]
            for effect in self.tenant.effects()
            if effect["subject"] == self.change.subject_id
        ]


@pytest.fixture
def line(sandbox, settings) -> Iterator[Line]:
    settings.SEND_DEADLINE = DEADLINE
    settings.SETTLE_AFTER = {name: timedelta(minutes=2) for name in settings.SETTLE_AFTER}
    settings.SETTLE_READ_GAP = timedelta(milliseconds=30)
    with Line(settings.FEISHU_BASE_URL).open() as line:
        yield line


@pytest.mark.parametrize(("endpoint", "way", "is_after", "applied"), CASES)
def test_each_way_ends_well(endpoint, way, is_after, applied, line, mirrored, asking, settings):
    write = WRITES[endpoint]
    tenant = mirrored(*write.mirrored)
    settings.FEISHU_BASE_URL = line.url
    record = write.find(tenant)
    change = asking.ask(record, write.verb, **write.values(record))
    story = Story(line, tenant, change)
    if is_after:
        line.break_next(servers.hang_up, applied=False)
        assert story.step().status == "verifying"
        story.until("approved")
    before = (story.sent, len(story.told), change.attempts_used)

    break_line(line, way, write, change, applied=applied)
    story.step()
    assert_answer_is_understood(story, way, before, is_after=is_after)

    line.mend()
    story.until("succeeded", "failed", "needs_attention")
    assert_end(story, way, write, before[0], is_after=is_after, applied=applied)


def break_line(line: Line, way: Way, write: Write, change: StatusChange, *, applied: bool) -> None:
    fault = way.fault(write)
    if fault is not None:
        line.break_next(fault, applied=applied, unread=way.unread)
    elif way.outcome is NOT_SENT:
        line.cut_after(reads_before_sending(line, change), silent=way.options["silent"])


def reads_before_sending(line: Line, change: StatusChange) -> int:
    """How many requests looking first takes."""
    kind, before = kind_named(change.kind), line.reads
    kind.read(change.subject_id, protocol.remote.client())
    return line.reads - before


def assert_answer_is_understood(
    story: Story, way: Way, before: tuple[int, int, int], *, is_after: bool
) -> None:
    change, (sent, told, used) = story.change, before
    attempt = Attempt.objects.filter(change=change).latest("number")
    assert (attempt.outcome, attempt.finished_at is None) == (way.outcome.value, False)
    assert story.sent == sent + (way.outcome is not NOT_SENT)
    # The attempt, then the one answer to it.
    assert len(story.told) == told + 2, story.told
    assert story.told[told] == "change.sending"
    uses_attempt = way.outcome in (UNKNOWN, REJECTED, APPLIED)
    assert change.attempts_used == used + uses_attempt
    in_doubt = way.outcome is UNKNOWN or (is_after and way.name == "already")
    expected = {
        UNKNOWN: ("verifying", "feishu.silent"),
        NOT_SENT: ("approved", "feishu.not-sent"),
        THROTTLED: ("approved", "feishu.throttled"),
        AUTH: ("approved", "feishu.auth"),
        REJECTED: ("failed", "feishu.refused"),
        APPLIED: ("succeeded", ""),
    }[UNKNOWN if in_doubt else way.outcome]
    assert (change.status, change.problem) == expected
    if in_doubt:
        # No earlier than Feishu may still be at work.
        assert change.next_run_at >= attempt.deadline_at + timedelta(minutes=2)
    elif change.status == "approved":
        assert change.next_run_at > attempt.started_at
    if way.outcome in (UNKNOWN, REJECTED):
        assert attempt.problem or attempt.feishu_code is not None or attempt.http_status
        assert bool(attempt.evidence) or not way.says


def assert_end(
    story: Story, way: Way, write: Write, sent: int, *, is_after: bool, applied: bool
) -> None:
    change = story.change
    in_doubt = way.outcome is UNKNOWN or (is_after and way.name == "already")
    if way.outcome is REJECTED and not in_doubt:
        assert (change.status, story.effects()) == ("failed", [])
        assert story.sent == sent + 1
    else:
        assert change.status == "succeeded", change.problem
        assert story.effects() == [write.operation]
        assert change.settled_via == ("readback" if applied else "answer")
        again = way.outcome is not APPLIED and not applied
        assert story.sent == sent + (way.outcome is not NOT_SENT) + again
    numbers = Attempt.objects.filter(change=change).order_by("number")
    assert [attempt.number for attempt in numbers] == list(range(1, numbers.count() + 1))
    (verdict,) = [found for found in action_log.verify() if found is not None][-1:]
    assert verdict.bad_seq is None
    # I16 counts the minutes that nobody has waited here.
    broken = [found for found in invariants.violations() if found.invariant != "I16"]
    assert broken == []
    for attempt in numbers:
        assert attempt.request_hash == change.payload_hash
    assert json.loads(change.payload)
