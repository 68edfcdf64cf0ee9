"""`manage.py run_portal`, from the outside."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.supervision import http_get
from tests.operations.waiting import free_port, is_alive, until

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class Portal:
    """One `manage.py run_portal` on ports and a folder of its own."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        self.output = var / "output.txt"
        environment = {
            "PATH": os.environ["PATH"],
            "HRPORTAL_VAR_DIR": str(var),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "PEOPLE": "20",
            **settings,
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_portal"],
                cwd=BASE_DIR,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def says(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        until(
            lambda: "Ctrl-C stops" in self.says or self.process.poll() is not None,
            within=100,
            what="the start",
        )
        assert self.process.poll() is None, self.says

    def is_ready(self) -> bool:
        try:
            return http_get(f"http://127.0.0.1:{self.port}/readyz")[0] == 200
        except OSError:
            return False

    def descendants(self) -> set[int]:
        """Every process that came from this one, sessions of their own included."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(status.parent.name)] = int(words[1])
        found = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}


def stops(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "run_portal", *arguments],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.mark.processes
class TestRefusesToStart:
    @pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
    def test_on_a_port_in_use(self, tmp_path, name):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port()), name: port}
            status, sentence = stops(HRPORTAL_VAR_DIR=str(tmp_path), **ports)
        assert status == 1
        assert f"Port {port} is in use by another program; choose another one with {name}=" in (
            sentence
        )
        assert len(sentence.strip().splitlines()) == 1
        assert not list(tmp_path.glob("*.sqlite3"))

    def test_with_a_malformed_setting(self, tmp_path):
        status, sentence = stops(HRPORTAL_VAR_DIR=str(tmp_path), PORT="x")
        assert status == 1
        assert "PORT must be a whole number" in sentence
        assert "Traceback" not in sentence

    def test_without_its_database(self, tmp_path):
        database = f"postgres://nobody@127.0.0.1:{free_port()}/none"
        ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
        status, sentence = stops(HRPORTAL_VAR_DIR=str(tmp_path), DATABASE_URL=database, **ports)
        assert status == 1
        assert "The database cannot be reached" in sentence
        assert "Traceback" not in sentence


@pytest.mark.processes
@pytest.mark.timeout(300)
class TestRuns:
    @pytest.fixture
    def portal(self, tmp_path) -> Iterator[Portal]:
        portal = Portal(tmp_path, CANARY_SECONDS="1", CANARY_PATIENCE_SECONDS="8")
        yield portal
        if portal.process.poll() is None:
            portal.process.terminate()
            portal.process.wait(timeout=60)

    def test_from_nothing_to_a_sign_in_and_back_to_nothing(self, portal, tmp_path):
        portal.wait_until_up()
        until(portal.is_ready, within=60, what="readiness")
        assert f"http://127.0.0.1:{portal.port}/" in portal.says
        assert re.search(r"employees +\d+ read", portal.says)
        assert self._sign_in_page(portal.port)[0] == 200
        everybody = portal.descendants()
        assert len(everybody) >= 8
        portal.process.send_signal(signal.SIGINT)
        assert portal.process.wait(timeout=60) == 0
        until(lambda: not any(is_alive(pid) for pid in everybody), within=2)

        again = Portal(tmp_path)
        again.wait_until_up()
        assert "employees" not in again.says, "the second start read everything again"
        second = Portal(tmp_path)
        assert second.process.wait(timeout=30) == 1
        everybody = again.descendants()
        again.process.kill()
        again.process.wait()
        for pid in everybody:
            until(lambda pid=pid: not is_alive(pid), within=60, what=f"the end of {pid}")

    def test_brings_back_what_was_killed(self, portal):
        portal.wait_until_up()
        until(portal.is_ready, within=60, what="readiness")
        worker = self._pid_of(portal, "run_worker")
        queue = self._pid_of(portal, "qcluster")
        os.kill(worker, signal.SIGKILL)
        until(lambda: not is_alive(queue), within=60, what="the end of the dead worker's queue")
        until(lambda: self._pid_of(portal, "qcluster") not in (None, queue), within=60)
        queue = self._pid_of(portal, "qcluster")
        os.killpg(queue, signal.SIGSTOP)  # alive, and nothing moves
        until(lambda: not is_alive(queue), within=60, what="the end of the wedged queue")
        until(portal.is_ready, within=60, what="readiness")
        sandbox = self._pid_of(portal, "sandbox")
        os.kill(sandbox, signal.SIGKILL)
        until(
            lambda: self._sandbox_is_up(portal.sandbox_port),
            within=60,
            what="the sandbox's return",
        )

    def _pid_of(self, portal: Portal, word: str) -> int | None:
        for pid in sorted(portal.descendants()):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            except OSError:
                continue
            if word in command:
                return pid
        return None

    def _sandbox_is_up(self, port: int) -> bool:
        try:
            _, body = http_get(f"http://127.0.0.1:{port}/sandbox/info")
        except OSError:
            return False
        return json.loads(body)["sandbox"] is True

    def _sign_in_page(self, port: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/sign-in/")
        answer = connection.getresponse()
        return answer.status, answer.read()
