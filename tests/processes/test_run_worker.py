# ruff: noqa: T201
"""`manage.py run_worker`, really started, and what becomes of work when it is killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.operations.waiting import is_alive, until
from tests.processes.portal import Portal, descendants, kill

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

NEVER = "3600"
SOON_S = 6.0


class Worker:
    """A running `manage.py run_worker`; what it says goes to a file."""

    def __init__(self, portal: Portal, folder: Path, **settings: str) -> None:
        self._portal, self._says = portal, folder / f"worker-{len(list(folder.iterdir()))}.txt"
        with self._says.open("w") as output:
            self.process = subprocess.Popen(
                [portal.python, "manage.py", "run_worker"],
                cwd=portal.base_dir,
                env=portal.environment | settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        portal.look_after(self.process)
        until(lambda: portal.ask("queue_beats"), within=30, what="the queue's first job")

    @property
    def says(self) -> str:
        return self._says.read_text()

    def queue(self) -> list[int]:
        """The processes of the cluster: its workers, pusher, monitor and main process."""
        return [pid for pid in descendants(self.process.pid) if "qcluster" in command(pid)]

    def kill_everything(self) -> None:
        """As a power cut does: all at once, so that nobody can tidy up after another."""
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            kill(pid, signal.SIGSTOP)
        for pid in [*descendants(self.process.pid), self.process.pid]:
            kill(pid)
        self.process.wait()


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def confirm(portal: Portal, number: int) -> tuple[int, str]:
    """HR confirms the conversion of the n-th person, in another process."""
    posts = portal.ask("plans", first=number, count=1)
    (pk,) = portal.ask("submit_all", posts=posts)
    return pk, posts[0]["subject"]


def freeze(pids: list[int], portal: Portal) -> bool:
    """They look alive and do nothing. False, and they go on, when one of them was stopped with
    SQLite's only write lock in its hand."""
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    url = portal.environment["DATABASE_URL"]
    if not url.startswith("sqlite") or is_free(url.removeprefix("sqlite:///")):
        return True
    for pid in pids:
        kill(pid, signal.SIGCONT)
    return False


def is_free(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.execute("ROLLBACK")
        return True


def is_done(portal: Portal, pk: int) -> bool:
    return portal.ask("change", pk=pk)["status"] == "succeeded"


def is_sent(portal: Portal, subject: str) -> bool:
    return any(request["path"].endswith(subject) for request in portal.tenant.requests(writes=True))


class TestQueue:
    def test_does_a_change_at_once(self, portal, tmp_path):
        worker = Worker(portal, tmp_path, SWEEP_SECONDS=NEVER)
        pk, subject = confirm(portal, 0)
        until(lambda: is_done(portal, pk), within=SOON_S, what="the conversion")
        assert portal.tenant.operations(subject) == ["convert"]
        change = portal.ask("change", pk=pk)
        waited = change["attempts"][0]["started_at"] - change["created_at"]
        print(f"confirmed to attempt: {waited:.2f} s")
        assert waited < 2
        assert "Traceback" not in worker.says

    def test_is_replaced_by_the_sweep_when_it_is_killed(self, portal, tmp_path):
        worker = Worker(portal, tmp_path, CANARY_PATIENCE_SECONDS=NEVER)
        queue = worker.queue()
        assert len(queue) > 2
        until(lambda: freeze(queue, portal), what="a moment without a transaction")
        pk, subject = confirm(portal, 0)
        until(lambda: is_done(portal, pk), within=SOON_S, what="the conversion by the sweep")
        assert portal.tenant.operations(subject) == ["convert"]

    def test_is_started_again_when_it_is_killed(self, portal, tmp_path):
        worker = Worker(portal, tmp_path, SWEEP_SECONDS=NEVER)
        before = set(worker.queue())
        for pid in before:
            kill(pid)
        pk, subject = confirm(portal, 0)
        until(lambda: is_done(portal, pk), within=30, what="the conversion by a new queue")
        assert portal.tenant.operations(subject) == ["convert"]
        assert not before & set(worker.queue())
        assert worker.process.poll() is None


class TestWorker:
    def test_with_another_environment_says_so_in_the_log(self, portal, tmp_path):
        first = Worker(portal, tmp_path)
        noted = ["settings.noted", "worker", []]
        until(lambda: portal.ask("settings_told") == [noted], what="the entry of the first start")
        first.kill_everything()
        Worker(portal, tmp_path, FULL_SYNC_HOUR="5", METRICS_TOKEN="a-token-of-ours")
        changed = ["settings.changed", "worker", ["FULL_SYNC_HOUR", "METRICS_TOKEN"]]
        until(lambda: portal.ask("settings_told") == [noted, changed], what="the second entry")
        assert portal.ask("report")["log"]["bad_seq"] is None

    def test_killed_in_flight_is_settled_by_reading_back(self, portal, tmp_path):
        worker = Worker(portal, tmp_path)
        portal.tenant.fault("hang", endpoint="A2", applied=True, delay_s=20)
        pk, subject = confirm(portal, 0)
        until(lambda: portal.tenant.operations(subject), what="the request")
        worker.kill_everything()
        change = portal.ask("change", pk=pk)
        assert change["status"] == "in_flight"
        Worker(portal, tmp_path)
        until(lambda: is_done(portal, pk), within=20, what="the reading back")
        change = portal.ask("change", pk=pk)
        assert (change["via"], len(change["attempts"])) == ("readback", 1)
        assert change["attempts"][0]["outcome"] == "unknown"
        assert portal.tenant.operations(subject) == ["convert"]

    def test_asked_to_stop_finishes_what_it_has_in_hand(self, portal, tmp_path):
        worker = Worker(portal, tmp_path)
        portal.tenant.fault("drip", endpoint="A2", delay_s=1.2)
        pk, subject = confirm(portal, 0)
        until(lambda: portal.tenant.operations(subject), what="the request")
        children = descendants(worker.process.pid)
        stopped_at = time.time()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(timeout=20) == 0
        change = portal.ask("change", pk=pk)
        assert (change["status"], change["via"]) == ("succeeded", "answer")
        assert change["attempts"][0]["finished_at"] > stopped_at
        until(lambda: not any(is_alive(pid) for pid in children), within=3, what="the end of all")
        assert "Traceback" not in worker.says
