# ruff: noqa: T201 - what a run has done is worth reading, and how to run it again.
"""Exactly one effect for each change, whatever breaks: real processes, real HTTP, real kills.

`make chaos SEED=7 CHANGES=2000 DATABASE_URL=postgres://`. The seed decides the tenant, the
faults, who asks for what and what is killed in which order; the moments are the machine's.
With a DATABASE_URL of PostgreSQL the run makes a server of its own, to be able to stop it.
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

from tests.chaos.boundaries import wanted
from tests.chaos.evidence import Evidence, over_the_limit, tracebacks, turned_away
from tests.chaos.people import HrPerson, Notes
from tests.chaos.postgres import PostgresServer
from tests.chaos.tally import Tally
from tests.chaos.verbs import DRIVERS, SECOND_PERSON, daily_limits
from tests.chaos.world import (
    USERS,
    Console,
    Havoc,
    Keeper,
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
BROWSERS = 8
FAULTS = 0.1
SETTLES_WITHIN_S = 180
# People nobody asks anything for: the console changes their state, and the sync has to see it.
UNTOUCHED = 0.05
# From so many changes on, so many of the boundaries have to be struck.
ENOUGH_FOR_BOUNDARIES, BOUNDARIES_STRUCK = 1000, 0.8
# So many times what Feishu publishes is allowed during the storm.
RATES, NO_LIMITS = 1.0, 100_000.0
# The limits of Feishu, narrowed so that two workers on any machine are faster than they allow.
AT_LIMITS, LIMITS = 130, 0.1


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer | None]:
    if not ON_POSTGRES:
        yield None
        return
    server = PostgresServer()
    yield server
    server.end()


@pytest.fixture
def databases(server, tmp_path) -> Databases:
    if server is not None:
        return PostgresDatabases(server.url)
    folder = tmp_path / "db"
    folder.mkdir()
    return SqliteDatabases(folder)


@pytest.fixture
def say(capsys):
    def say(*words: Any) -> None:
        with capsys.disabled():
            print(*words, flush=True)

    return say


def again() -> str:
    url = f" DATABASE_URL={URL}" if URL else ""
    return f"make chaos SEED={SEED} CHANGES={CHANGES}{url}"


class Findings:
    """What is wrong; a run goes on to its end and tells all of it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._told: list[str] = []

    def look(self, wrong: list[Any], what: str, *, counts_as: str = "") -> None:
        if counts_as:
            self._tally.count(counts_as, wrong)
        if wrong:
            shown = "\n".join(str(one) for one in wrong[:20])
            self._told.append(f"{len(wrong)} {what}:\n{shown}")

    def assert_none(self) -> None:
        assert not self._told, "\n\n".join([f"again with: {again()}", *self._told])


class TestStorm:
    def test_each_change_has_one_effect_or_none(self, server, databases, tmp_path, tally, say):
        say(f"\nchaos: seed {SEED}, {CHANGES} changes, {again()}\nfiles: {tmp_path}")
        findings = Findings(tally)
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
            subjects = self.subjects(tenant)
            havoc = self.havoc(office, tenant, observer, server, subjects)
            self.storm(office, tenant, observer, notes, numbers, subjects, havoc, say)
            broken = [f"{name}: {thread.error!r}" for name, thread in havoc.items() if thread.error]
            findings.look(broken, "kinds of havoc that came to a stop")
            tally.faults = self.end_of_faults(tenant, say)
            self.calm(office, tenant, findings, say)
            requests = observer.requests
            office.set_rates(NO_LIMITS)
            self.sync(office, findings)
            tally.kills = sum(program.kills for program in office.programs)
            tally.kills += sum(office.deaths.count().values()) + havoc["syncs"].do.kills
            report = office.ask("report")
            tally.changes = len(report)
            self.tell(report, notes, requests, say)
            self.check_boundaries(office, verbs, findings, say)
            writes = [request for request in requests if request["write"]]
            evidence = Evidence(report, writes, tenant.control.effects())
            tally.effects = len(evidence.effects)
            findings.look(evidence.duplicates, "effects too many", counts_as="duplicates")
            findings.look(evidence.lost, "ends without their effect", counts_as="lost")
            findings.look(evidence.wrong, "things that do not fit")
            self.check_forms(report, notes, findings)
            differences = office.ask("differences")
            findings.look(differences, "records unlike Feishu's", counts_as="lost")
            check_limits(requests, RATES, findings)
            self.check_by_command(office, findings, say)
            for path in tmp_path.glob("*.txt"):
                complaints = tracebacks(path, database_goes_away=ON_POSTGRES)
                findings.look(complaints, f"tracebacks in {path.name}")
            findings.assert_none()

    def subjects(self, tenant: Tenant) -> dict[str, list[str]]:
        """Ids by kind of record, in the seed's order; `UNTOUCHED` are nobody's subject."""
        found = {
            kind: [record["id"] for record in tenant.control.records(kind, limit=5000)]
            for kind in {driver.kind for driver in DRIVERS}
        }
        for ids in found.values():
            random.Random(SEED).shuffle(ids)
        apart = int(len(found["employees"]) * UNTOUCHED)
        found["untouched"] = found["employees"][:apart]
        found["employees"] = found["employees"][apart:]
        return found

    def havoc(
        self,
        office: Office,
        tenant: Tenant,
        observer: Observer,
        server: PostgresServer | None,
        subjects: dict[str, list[str]],
    ) -> dict[str, Havoc]:
        console = Console(tenant.control, subjects["employees"], SEED)
        found = [
            Havoc("observer", observer, every=(2, 4), seed=SEED),
            Havoc("killer", Killer(office, SEED), every=(3, 9), seed=SEED + 1),
            Havoc("console", console, every=(0.3, 1.5), seed=SEED + 2),
            Havoc("syncs", Syncs(office, SEED), every=(15, 30), seed=SEED + 3),
            Havoc("keeper", Keeper(office), every=(1, 2), seed=SEED + 5),
        ]
        if server is not None:
            away = PostgresAway(server, office.database_url, SEED)
            found.append(Havoc("postgres", away, every=(6, 15), seed=SEED + 4))
        return {each.name: each for each in found}

    def storm(
        self,
        office: Office,
        tenant: Tenant,
        observer: Observer,
        notes: Notes,
        numbers: dict[str, dict[str, int]],
        subjects: dict[str, list[str]],
        havoc: dict[str, Havoc],
        say: Any,
    ) -> None:
        office.set_rates(RATES)
        observer.start()
        office.open_doors()
        office.start_mortal_worker(SEED)
        people = [
            HrPerson(office, notes, subjects, numbers, number=number, seed=SEED)
            for number in range(BROWSERS)
        ]
        for person in people:
            person.sign_in()
        tenant.storm(FAULTS, SEED)
        started = time.monotonic()
        try:
            for thread in [*people, *havoc.values()]:
                thread.start()
            while any(thread.is_alive() for thread in people):
                time.sleep(10)
                minutes = (time.monotonic() - started) / 60
                say(f"{minutes:.1f} min: {len(notes.confirmed)} confirmed", end_of(notes))
            for subject in subjects["untouched"]:
                tenant.control.patch(
                    "employees", subject, onboard_status=2, overboard_time=1767110400000
                )
        finally:
            # Or they would start again what is being ended.
            for thread in havoc.values():
                thread.stop()
                say(f"{thread.name}: {dict(thread.done)}")
        assert office.mortal is not None
        office.mortal.kill_for_good()

    def end_of_faults(self, tenant: Tenant, say) -> int:
        faults = tenant.control.faults()
        tenant.control.clear_faults()
        hits: Counter[str] = Counter()
        for fault in faults:
            hits["/".join(fault["kinds"][:2])] += fault["hits"]
        say(f"faults: {dict(hits)}")
        return sum(hits.values())

    def calm(self, office: Office, tenant: Tenant, findings: Findings, say) -> None:
        """No more faults: everything comes to its end, or to a person."""
        for program in office.programs:
            program.start_if_ended()
        started = time.monotonic()
        left = office.ask("wait_until_settled", seconds=SETTLES_WITHIN_S)
        findings.look(left, f"not settled after {SETTLES_WITHIN_S} s", counts_as="unsettled")
        until(lambda: not tenant.control.info()["late_pending"], what="the last late request")
        say(f"settled {time.monotonic() - started:.0f} s after the last fault")
        ends = {worker.name: worker.stop() for worker in office.workers}
        badly = [f"{name}: {status}" for name, status in ends.items() if status]
        findings.look(badly, "workers that did not stop in order")

    def sync(self, office: Office, findings: Findings) -> None:
        office.ask("minutes_pass")
        # Passes that were cut off are finished first; then one sync, as the demand has it.
        for _ in range(2):
            synced = office.manage("sync")
            if synced.returncode:
                findings.look([synced.stdout[-3000:], synced.stderr[-3000:]], "syncs that failed")

    def tell(self, report: list[dict], notes: Notes, requests: list[dict], say) -> None:
        ends = Counter(f"{c['status']} {c['via'] or c['problem']}".strip() for c in report)
        say(f"{len(report)} changes: {dict(ends)}")
        say(f"by verb: {dict(Counter(change['kind'] for change in report))}")
        say(f"met on the way: {dict(notes.count)}")
        writes = [request for request in requests if request["write"]]
        struck = Counter(request["fault"] for request in writes if request["fault"])
        say(f"{len(requests)} requests, {len(writes)} writes, faults among those: {dict(struck)}")

    def check_boundaries(self, office: Office, verbs: set[str], findings: Findings, say) -> None:
        """kill -9 between any two steps of the protocol, of any verb."""
        deaths, all_of_them = office.deaths.count(), wanted(verbs, SECOND_PERSON)
        missed = [key for key in all_of_them if not deaths[key]]
        struck = len(all_of_them) - len(missed)
        say(
            f"killed at {struck} of {len(all_of_them)} boundaries (steps x verbs),"
            f" {sum(deaths.values())} times; never at: {missed}"
        )
        if CHANGES >= ENOUGH_FOR_BOUNDARIES and struck < BOUNDARIES_STRUCK * len(all_of_them):
            findings.look(missed, "boundaries at which nothing was killed")

    def check_forms(self, report: list[dict], notes: Notes, findings: Findings) -> None:  # I15
        """Whatever was posted how often: a form is one change, and nothing else is."""
        findings.look(notes.wrong, "people gave up")
        twice = [f"{key}: {found}" for key, found in notes.numbers.items() if len(found) > 1]
        findings.look(twice, "forms that are more than one change", counts_as="duplicates")
        keys = {change["key"]: change["id"] for change in report}
        gone = [
            f"{key}: {found}" for key, found in notes.numbers.items() if keys.get(key) not in found
        ]
        findings.look(gone, "forms that were taken and are no change", counts_as="lost")
        never = sorted(notes.verbs - set(notes.asked)) if len(report) >= 200 else []
        findings.look(never, "verbs nobody asked for")

    def check_by_command(self, office: Office, findings: Findings, say) -> None:
        """Every intent, attempt and outcome is logged, and the log is whole."""
        for command in ("check_changes", "verify_log"):
            checked = office.manage(command)
            if checked.returncode:
                findings.look([checked.stdout, checked.stderr], f"complaints of {command}")
            say(*checked.stdout.strip().splitlines()[-1:])


def check_limits(requests: list[dict], scale: float, findings: Findings) -> None:
    trips = over_the_limit(requests, scale=scale) + turned_away(requests)
    findings.look(trips, "limits passed", counts_as="limit_trips")


def end_of(notes: Notes) -> str:
    return ", ".join(f"{what} {count}" for what, count in notes.count.most_common(4))


class TestPublishedLimits:
    def test_no_window_holds_more_than_feishu_allows(self, databases, tmp_path, tally, say):
        """Everything due at once, two workers and a sync that share what a minute allows."""
        findings = Findings(tally)
        with Tenant(people=PEOPLE, seed=SEED % 1000 + 1) as tenant, ExitStack() as last:
            office = Office(tenant, databases.template, tmp_path, **daily_limits())
            last.callback(office.end)
            office.ask("prepare", users=USERS[:1])
            count = office.ask("submit_conversions", count=AT_LIMITS)
            office.set_rates(LIMITS)
            tenant.control.clear_requests()
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
            check_limits(requests, LIMITS, findings)
            findings.assert_none()
