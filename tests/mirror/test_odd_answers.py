"""Whatever Feishu answers to a read: no page breaks, no job stops, and nothing good is lost.

A line to the sandbox puts one odd value into a real answer, anywhere in it, or answers with
something else altogether. ODD_EXAMPLES is how often each question is asked.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import pickers
from lifecycle.changes import protocol
from lifecycle.changes.kinds import kind_named
from lifecycle.feishu.events import SUBJECTS
from lifecycle.models import (
    Offboarding,
    PreHire,
    PushedEvent,
    StatusChange,
    SyncRun,
    UnreadableRecord,
)
from lifecycle.services import pushes, sync
from tests.changes.test_wire_table import HIRE, WRITES
from tests.feishu import servers
from tests.feishu.line import Line
from tests.polling.test_pushes import KEY, TOKEN, an_event, encrypted, signed

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

EXAMPLES = settings(
    max_examples=int(os.environ.get("ODD_EXAMPLES", "25")),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
ALL_KINDS = (*HIRE, "pre_hires", "offboardings", "catalogues")


def nested(levels: int) -> Any:
    return json.loads("[" * levels + "]" * levels)


ODD: list[Any] = [
    None, True, False, 0, -1, 7, 99, 1.5, 2**63, -(2**63), 10**40, "", " ", "0", "x", "9" * 19,
    "长" * 300, "7" * 5000, "a\u0000b", "\ud800", "‮", "2026-02-30", "2026-11-21", "-1",
    "99999999999999999999", "1e999", [], [None], [[]], [{}], ["x"], {}, {"x": {}}, {"id": 3},
    [{"id": None}], {"lang": [], "value": {}}, [{"lang": {}, "value": "x"}],
    "重乐" * 100, nested(200), nested(900),
]  # fmt: skip
# Whole answers instead of the one that was asked for.
BODIES: list[bytes] = [
    b"", b"null", b"[]", b'"x"', b"{}", b'{"code":0}', b'{"code":0,"data":null}',
    b'{"code":0,"data":[]}', b'{"code":0,"data":"x"}', b'{"code":0,"data":{}}',
    b'{"code":"0","data":{}}', b'{"code":0,"data":{"items":{}}}',
    b'{"code":0,"data":{"items":[7]}}',
    b'{"code":0,"data":{"items":[null,[],"x"]}}', b'{"code":0,"data":{"has_more":true,"items":[]}}',
    b'{"code":0,"data":{"has_more":1,"items":[],"page_token":7}}', b"\xff\xfe{\x00}\x00",
    '{"code":0,"data":{"items":["长"]}}'.encode("gbk"), b"[" * 300_000, b"<html>sign in</html>",
    b'{"code":0,"data":{"items":[' + b"7," * 100_000 + b"7]}}", b" " * 11_000_000, b'{"code":0,"da',
    b'{"code":0,"data":{"items":[NaN]}}', b'{"code":1e999}', b'{"code":1.0,"data":{}}',
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in an answer, the envelope left out."""
    if len(path) > 1 or path == ("data",):
        yield path
    if isinstance(value, dict):
        for name in value:
            if path or name == "data":
                yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        # The first few records stand for all.
        for number, item in enumerate(value[:4]):
            yield from places(item, (*path, number))


LEFT_OUT = object()


def with_odd(answer: Any, path: tuple[Any, ...], odd: Any) -> Any:
    holder = answer
    for name in path[:-1]:
        holder = holder[name]
    if odd is LEFT_OUT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = odd
    return answer


TWISTS = st.one_of(
    st.tuples(st.integers(0, 10**6), st.sampled_from([*ODD, LEFT_OUT])),
    st.tuples(st.just(-1), st.sampled_from(BODIES)),
)


class Twist:
    """Puts one odd thing into the `turn`-th answer of those to come."""

    def __init__(self, turn: int, where: int, odd: Any) -> None:
        self._turn, self._where, self._odd = turn, where, odd
        self.did = ""

    def __call__(self, path: str, body: bytes) -> bytes:
        self._turn -= 1
        if self._turn != -1:
            return body
        if self._where < 0:
            self.did = f"{path}: {self._odd[:60]!r}"
            return self._odd
        answer = json.loads(body)
        there = list(places(answer))
        if not there:
            return body
        place = there[self._where % len(there)]
        shown = "left out" if self._odd is LEFT_OUT else repr(self._odd)[:60]
        self.did = f"{path}: {place} is {shown}"
        return json.dumps(with_odd(answer, place, self._odd)).encode()


def undone(do: Callable[[], None]) -> None:
    """Each example starts with the same rows."""
    before = transaction.savepoint()
    try:
        do()
    finally:
        transaction.savepoint_rollback(before)


@pytest.fixture
def line(sandbox, settings) -> Iterator[Line]:
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.SEND_DEADLINE = timedelta(seconds=3)
    settings.SETTLE_READ_GAP = timedelta(0)
    with Line(settings.FEISHU_BASE_URL).open() as line:
        yield line


@pytest.fixture
def company(mirrored, line, settings):
    tenant = mirrored(*ALL_KINDS)
    settings.FEISHU_BASE_URL = line.url
    return tenant


@pytest.fixture
def browser(mei) -> Client:
    browser = Client()
    browser.force_login(mei)
    return browser


# How many reads a pass makes at least: each of them is to have its turn.
READS = {"catalogues": 25, "contacts": 2}
# What a pass may end with: never with an exception of ours.
SAID = re.compile(r"|no-answer|not-sent|nobody-known|scope-missing|code-\d+")


class TestSync:
    @pytest.mark.parametrize("kind", sorted(sync.KINDS))
    def test_of_an_odd_answer_breaks_nothing(self, kind, company, line, browser):
        model = sync.KINDS[kind].model
        everything = set(model._base_manager.values_list("pk", flat=True))

        @EXAMPLES
        @given(turn=st.integers(0, READS.get(kind, 3)), twist=TWISTS)
        def ask(turn, twist):
            undone(lambda: once(Twist(turn, *twist)))

        def once(twist):
            SyncRun.objects.all().delete()
            line.twist = twist
            run = sync.sync_kind(kind)
            line.twist = None
            assert run is not None
            assert run.state in (SyncRun.State.DONE, SyncRun.State.FAILED), twist.did
            assert SAID.fullmatch(run.problem), (twist.did, run.problem, run.detail)
            # Nothing that was known is gone, and what could not be read is kept.
            assert everything <= set(model._base_manager.values_list("pk", flat=True)), twist.did
            assert bool(run.unreadable) == UnreadableRecord.objects.exists(), twist.did
            if kind == "departments":
                assert run.read == run.stored + run.unreadable, twist.did
            can_be_shown(browser, twist)

        ask()


def can_be_shown(browser: Client, twist: Twist) -> None:
    """What was stored, in the lists to pick from and where it is told what was not."""
    places = [reverse("sync"), *(reverse("pick", args=[what]) for what in pickers.SOURCES)]
    for place in places:
        try:
            assert browser.get(place).status_code == 200, (place, twist.did)
        except Exception as error:
            raise AssertionError((place, twist.did)) from error


class TestPages:
    @pytest.mark.parametrize("endpoint", sorted(WRITES))
    def test_of_a_verb_survive_an_odd_answer(self, endpoint, company, line, asking, browser):
        write = WRITES[endpoint]
        kind, record = kind_named(write.verb), write.find(company)
        address = reverse(kind.url_name, args=[record.pk])
        typed = write.values(record) | {"step": "plan"}

        @EXAMPLES
        @given(turn=st.integers(0, 2), twist=TWISTS, post=st.booleans())
        def ask(turn, twist, post):
            undone(lambda: once(Twist(turn, *twist), post))

        def once(twist, post):
            line.twist = twist
            try:
                page = browser.post(address, typed) if post else browser.get(address)
                assert page.status_code in (200, 422, 404, 503), twist.did
                # What was stored of it can be shown as well.
                for shown in (reverse("person", args=[record.person_id]), address):
                    assert browser.get(shown).status_code in (200, 302, 403, 404, 422, 503), (
                        twist.did
                    )
            except AssertionError:
                raise
            except Exception as error:
                raise AssertionError(twist.did) from error
            finally:
                line.twist = None

        ask()


class TestChange:
    @pytest.mark.parametrize("endpoint", sorted(WRITES))
    @pytest.mark.parametrize("silent", [False, True], ids=["looks-first", "reads-back"])
    def test_that_meets_an_odd_answer_is_not_lost(self, endpoint, silent, company, line, asking):
        write = WRITES[endpoint]
        record = write.find(company)
        change = asking.ask(record, write.verb, **write.values(record))
        if silent:
            line.break_next(servers.hang_up, applied=False)
            protocol.run(change.pk)
        assert change_of(change).status == ("verifying" if silent else "approved")

        @EXAMPLES
        @given(turn=st.integers(0, 2), twist=TWISTS)
        def ask(turn, twist):
            undone(lambda: once(Twist(turn, *twist)))

        def once(twist):
            line.twist = twist
            if not silent:  # It may be sent, but not be done.
                line.break_next(servers.hang_up, applied=False)
            try:
                protocol.run(change.pk, at=timezone.now() + timedelta(hours=1))
            except Exception as error:
                raise AssertionError(twist.did) from error
            finally:
                line.twist = None
            assert change_of(change).status != "in_flight", twist.did

        ask()


@pytest.fixture
def events_on(settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN = KEY, TOKEN


@pytest.mark.usefixtures("events_on")
class TestPushedEvent:
    @pytest.mark.parametrize("event_type", sorted(SUBJECTS))
    def test_whose_record_is_read_oddly_is_done_with_all_the_same(
        self, event_type, company, line, browser
    ):
        kind, name = SUBJECTS[event_type]
        model = {"pre_hires": PreHire, "offboardings": Offboarding}[kind]
        record = model.everyone.latest("pk")
        named = record.feishu_id if kind == "pre_hires" else record.employment_id
        everything = set(model.everyone.values_list("pk", flat=True))

        @EXAMPLES
        @given(turn=st.integers(0, 1), twist=TWISTS)
        def ask(turn, twist):
            undone(lambda: once(Twist(turn, *twist)))

        def once(twist):
            assert pushed(browser, encrypted(an_event(event_type, **{name: named}))) == 200
            line.twist = twist
            for hour in range(pushes.MOST_TRIES):
                pushes.read_due(at=timezone.now() + timedelta(hours=hour))
            line.twist = None
            assert PushedEvent.objects.get().due_at is None, twist.did
            assert everything <= set(model.everyone.values_list("pk", flat=True)), twist.did
            can_be_shown(browser, twist)

        ask()

    @pytest.mark.parametrize("event_type", sorted(SUBJECTS))
    def test_that_is_odd_itself_is_taken_or_refused(self, event_type, company, browser):
        _, name = SUBJECTS[event_type]
        event = an_event(event_type, **{name: "73"})
        there = list(anywhere(event))

        @EXAMPLES
        @given(place=st.sampled_from(there), odd=st.sampled_from([*ODD, LEFT_OUT]))
        def ask(place, odd):
            undone(lambda: once(with_odd(json.loads(json.dumps(event)), place, odd)))

        def once(twisted):
            assert pushed(browser, encrypted(twisted)) in (200, 400, 403)
            pushes.read_due(at=timezone.now())

        ask()

    @pytest.mark.parametrize("address", ["feishu-events", "feishu-cards"])
    @pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
    def test_of_any_bytes_is_refused(self, address, body, browser):
        for sent in (body, encrypted(body)):
            assert pushed(browser, sent, address) in (400, 403, 413)

    @pytest.mark.parametrize("challenge", ODD, ids=range(len(ODD)))
    def test_that_tries_the_address_is_answered(self, challenge, browser):
        event = {"type": "url_verification", "challenge": challenge, "token": TOKEN}
        assert pushed(browser, encrypted(event)) in (200, 400)


def anywhere(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in an event, but for the whole of it."""
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from anywhere(value[name], (*path, name))


def pushed(browser: Client, body: bytes, address: str = "feishu-events") -> int:
    answer = browser.post(
        reverse(address), body, content_type="application/json", headers=signed(body)
    )
    return answer.status_code


def change_of(change: StatusChange) -> StatusChange:
    return StatusChange.objects.get(pk=change.pk)
