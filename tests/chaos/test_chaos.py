# ruff: noqa: T201 - what a run has done is worth reading, and how to run it again.
"""Exactly one effect for each change, whatever breaks: real processes, real HTTP, real kills.

`make chaos SEED=7 CHANGES=2000 DATABASE_URL=postgres://...`. The seed decides the tenant, the
faults, who asks for what and what is killed in which order; the moments are the machine's.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.chaos.evidence import Evidence, over_the_limit, tracebacks
from tests.chaos.people import HrPerson, Notes
from tests.chaos.verbs import DRIVERS, daily_limits
from tests.chaos.world import (
    USERS,
    Console,
    Havoc,
    Killer,
    Observer,
    Office,
    PostgresAway,
    Syncs,
    Tenant,
)
from tests.operations.waiting import until
from tests.processes.portal import Databases, PostgresDatabases, SqliteDatabases

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(0)]

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
CHANGES = int(os.environ.get("CHAOS_CHANGES") or 2000)
URL = os.environ.get("DATABASE_URL", "")
ON_POSTGRES = URL.startswith("postgres")
PEOPLE = 400
BROWSERS = 6
FAULTS = 0.1
SETTLES_WITHIN_S = 180
# People nobody asks anything for: the console changes their state, and the sync has to see it.
UNTOUCHED = 0.05
# The limits of Feishu, narrowed so that two workers on any machine are faster than they allow.
AT_LIMITS, LIMITS = 130, 0.1


@pytest.fixture(scope="module")
def databases(tmp_path_factory) -> Iterator[Databases]:
    kind = PostgresDatabases(URL) if ON_POSTGRES else SqliteDatabases(tmp_path_factory.mktemp("db"))
    yield kind
    kind.drop()


@pytest.fixture
def say(capsys):
    def say(*words: Any) -> None:
        with capsys.disabled():
            print(*words, flush=True)

    return say


def again() -> str:
    url = f" DATABASE_URL={URL}" if URL else ""
    return f"make chaos SEED={SEED} CHANGES={CHANGES}{url}"


def assert_none(wrong: list[str], what: str) -> None:
    shown = "\n".join(wrong[:20])
    assert not wrong, f"{len(wrong)} {what}; again with: {again()}\n{shown}"


class TestStorm:
    def test_each_change_has_one_effect_or_none(self, databases, tmp_path, say):
        say(f"\nchaos: seed {SEED}, {CHANGES} changes, {again()}\nfiles: {tmp_path}")
        with Tenant(people=PEOPLE, seed=SEED % 1000 + 1) as tenant, ExitStack() as last:
            office = Office(tenant, databases.template, tmp_path, **daily_limits())
            last.callback(office.end)
            started = time.monotonic()
            verbs = set(office.ask("prepare", users=USERS))
            assert verbs <= {driver.verb for driver in DRIVERS}, "a verb nobody asks for here"
            numbers = office.ask("addresses")
            say(f"prepared in {time.monotonic() - started:.0f} s")
            observer = Observer(tenant.control)
            notes = Notes(CHANGES, verbs)
            self.storm(office, tenant, observer, notes, numbers, say)
            self.calm(office, tenant, say)
            report = office.ask("report")
            self.tell(report, notes, tenant, observer, say)
            evidence = Evidence(report, observer.requests, tenant.control.effects())
            assert_none(evidence.wrong, "things that do not fit")
            self.check_forms(report, notes)
            assert_none(office.ask("differences"), "records that differ from Feishu's")
            for command in ("check_changes", "verify_log"):
                checked = office.manage(command)
                assert checked.returncode == 0, f"{again()}\n{checked.stdout}{checked.stderr}"
                say(checked.stdout.strip().splitlines()[-1])
            said = [*tmp_path.glob("web*.txt"), *tmp_path.glob("worker*.txt")]
            complaints = [
                text for path in said for text in tracebacks(path, database_goes_away=ON_POSTGRES)
            ]
            assert_none(complaints, "tracebacks")

    def storm(
        self,
        office: Office,
        tenant: Tenant,
        observer: Observer,
        notes: Notes,
        numbers: dict[str, dict[str, int]],
        say: Any,
    ) -> None:
        control = tenant.control
        subjects = {
            kind: [record["id"] for record in control.records(kind, limit=5000)]
            for kind in {driver.kind for driver in DRIVERS}
        }
        for ids in subjects.values():
            random.Random(SEED).shuffle(ids)
        apart = int(len(subjects["employees"]) * UNTOUCHED)
        untouched, subjects["employees"] = (
            subjects["employees"][:apart],
            subjects["employees"][apart:],
        )
        office.open_doors()
        people = [
            HrPerson(office, notes, subjects, numbers, number=number, seed=SEED)
            for number in range(BROWSERS)
        ]
        havoc = [
            Havoc("observer", observer, every=(2, 4), seed=SEED),
            Havoc("killer", Killer(office, SEED), every=(4, 12), seed=SEED + 1),
            Havoc("console", Console(control, subjects["employees"], SEED), every=(0.3, 1.5),
                  seed=SEED + 2),
            Havoc("syncs", Syncs(office, SEED), every=(5, 20), seed=SEED + 3),
        ]  # fmt: skip
        if ON_POSTGRES:
            away = PostgresAway(office.database_url, SEED)
            havoc.append(Havoc("postgres", away, every=(4, 10), seed=SEED + 4))
        tenant.storm(FAULTS, SEED)
        started = time.monotonic()
        for thread in [*people, *havoc]:
            thread.start()
        while any(thread.is_alive() for thread in people):
            time.sleep(10)
            minutes = (time.monotonic() - started) / 60
            say(f"{minutes:.1f} min: {len(notes.confirmed)} confirmed", end_of(notes))
        for subject in untouched:
            control.patch("employees", subject, onboard_status=2, overboard_time=1767110400000)
        for thread in havoc:
            thread.stop()
            say(f"{thread.name}: {dict(thread.done)}")
        assert_none(notes.wrong, "people gave up")

    def calm(self, office: Office, tenant: Tenant, say) -> None:
        """No more faults: everything comes to its end, or to a person."""
        say("faults:", {next(iter(f["kinds"])): f["hits"] for f in tenant.control.faults()})
        tenant.control.clear_faults()
        for program in office.programs:
            if program.process.poll() is not None:
                program.start()
        started = time.monotonic()
        left = office.ask("wait_until_settled", seconds=SETTLES_WITHIN_S)
        assert not left, f"not settled after {SETTLES_WITHIN_S} s: {left[:20]}; {again()}"
        until(lambda: not tenant.control.info()["late_pending"], what="the last late request")
        say(f"settled {time.monotonic() - started:.0f} s after the last fault")
        for worker in office.workers:
            assert worker.stop() == 0
        office.ask("minutes_pass")
        for _ in range(2):  # the first one may finish a pass that was cut off
            synced = office.manage("sync")
            assert synced.returncode == 0, synced.stderr[-3000:]

    def tell(
        self, report: list[dict], notes: Notes, tenant: Tenant, observer: Observer, say
    ) -> None:
        ends = Counter(f"{c['status']} {c['via'] or c['problem']}".strip() for c in report)
        say(f"{len(report)} changes: {dict(ends)}")
        say(f"by verb: {dict(Counter(change['kind'] for change in report))}")
        say(f"met on the way: {dict(notes.count)}")
        struck = Counter(request["fault"] for request in observer.requests if request["fault"])
        say(f"{len(observer.requests)} writes seen, faults among them: {dict(struck)}")

    def check_forms(self, report: list[dict], notes: Notes) -> None:  # I15
        """Whatever was posted how often: a form is one change, and nothing else is."""
        twice = [f"{key}: {found}" for key, found in notes.numbers.items() if len(found) > 1]
        assert_none(twice, "forms that are more than one change")
        keys = {change["key"]: change["id"] for change in report}
        assert {key: {keys.get(key)} for key in notes.numbers} == dict(notes.numbers)
        never = notes.verbs - set(notes.asked)
        assert not never or len(report) < 200, f"never asked for: {never}"


def end_of(notes: Notes) -> str:
    return ", ".join(f"{what} {count}" for what, count in notes.count.most_common(4))


class TestPublishedLimits:
    def test_no_window_holds_more_than_feishu_allows(self, tmp_path, say):
        """Everything due at once, two workers and a sync that share what a minute allows."""
        folder = tmp_path / "db"
        folder.mkdir()
        database = PostgresDatabases(URL) if ON_POSTGRES else SqliteDatabases(folder)
        with Tenant(people=PEOPLE, seed=SEED % 1000 + 1) as tenant, ExitStack() as last:
            last.callback(database.drop)
            office = Office(tenant, database.template, tmp_path, **daily_limits())
            last.callback(office.end)
            office.ask("prepare", users=USERS[:1])
            count = office.ask("submit_conversions", count=AT_LIMITS)
            tenant.control.options(rate_scale=LIMITS)
            tenant.control.clear_requests()
            office.portal.environment["FEISHU_RATE_SCALE"] = str(LIMITS)
            started = time.monotonic()
            office.start_workers()
            office.portal.start("manage.py", "sync", "employees", "talents")
            left = office.ask("wait_until_settled", seconds=SETTLES_WITHIN_S)
            seconds = time.monotonic() - started
            assert not left, left[:20]
            for worker in office.workers:
                assert worker.stop() == 0
            requests = tenant.control.requests()
            say(f"\n{count} changes in {seconds:.0f} s, {len(requests)} requests")
            assert Counter(tenant.control.operations()) == {"convert": count}
            assert_none(over_the_limit(requests, scale=LIMITS), "windows over the limit")
            throttled = [request["path"] for request in requests if request["code"] == 99991400]
            assert_none(throttled, "requests were throttled")
