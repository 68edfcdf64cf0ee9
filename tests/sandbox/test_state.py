import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from lifecycle.sandbox.control import SandboxControl
from lifecycle.sandbox.testing import SandboxServer

from .tenant_under_test import TenantUnderTest

ROOT = Path(__file__).parents[2]


def launch(*options: str) -> subprocess.Popen[str]:
    """A sandbox in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "lifecycle.sandbox", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fails(*options: str) -> str:
    """What it says on its way out."""
    process = launch(*options)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said.count("\n") == 1
    assert "Traceback" not in said
    return said


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox and its address, which its first line names."""
    process = launch("--port", "0", *options)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[3]


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


class TestStateFile:
    def test_survives_a_restart(self, tmp_path: Path) -> None:
        state = str(tmp_path / "new" / "sandbox.sqlite3")
        with SandboxServer().start(people=12, seed=3, state=state) as server:
            tenant = TenantUnderTest(server)
            bo, pre_hire = tenant.on_probation(), tenant.first("pre_hires")
            body = {
                "operation": 1,
                "conversion_info": {"actual_conversion_time": bo["onboard_time"]},
            }
            converted = tenant.data("PATCH", f"hire/v1/employees/{bo['id']}", json=body)
            path, query = f"corehr/v1/pre_hires/{pre_hire['id']}", {"client_token": "kept"}
            sent = {"onboarding_status": {"enum_name": "preboarding"}, "hire_date": "2026-02-09"}
            patched = tenant.data("PATCH", path, params=query, json=sent)
        with SandboxServer().start(people=500, seed=99, state=state) as server:
            tenant = TenantUnderTest(server)
            info = tenant.control.info()
            assert (info["people"], info["seed"]) == (12, 3), "the file decides"
            assert tenant.data("GET", f"hire/v1/employees/{bo['id']}") == converted
            assert tenant.control.operations(bo["id"]) == ["convert"]
            assert (
                tenant.data("PATCH", path, params=query, json={**sent, "hire_date": "2027-01-01"})
                == patched
            )
            tenant.control.reset()
            assert tenant.control.record("employees", bo["id"]) == bo

    def test_keeps_what_was_answered_when_it_is_killed(self, tmp_path: Path) -> None:
        state = str(tmp_path / "sandbox.sqlite3")
        process, url = start("--people", "12", "--state", state)
        control = SandboxControl(url)
        settings = control.settings(job_requirement_required=True)
        end(process)
        process, url = start("--state", state)
        try:
            assert SandboxControl(url).record("settings", "tenant") == settings
        finally:
            end(process)

    def test_says_so_when_it_is_something_else(self, tmp_path: Path) -> None:
        other = tmp_path / "notes.txt"
        other.write_text("not a database, only some notes " * 100)
        assert "cannot be used" in fails("--port", "0", "--state", str(other))
        assert other.read_text().startswith("not a database")


class TestCommand:
    def test_prints_one_line_and_stops_on_sigterm(self) -> None:
        process = launch("--port", "0", "--people", "12", "--seed", "5")
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Sandbox Feishu on http://127.0.0.1:")
        assert line.endswith("(12 people, seed 5)\n")
        port = int(line.split()[3].rsplit(":", 1)[1])
        hanging = socket.create_connection(("127.0.0.1", port))
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest, said = process.communicate(timeout=5)
        assert process.returncode == 0
        assert time.monotonic() - started < 3
        assert rest == said == ""
        hanging.close()

    def test_says_that_the_port_is_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            assert f"Port {port}" in fails("--port", port)

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])  # noqa: S104 - refused
    def test_listens_on_this_machine_only(self, host: str) -> None:
        assert "this machine only" in fails("--host", host)

    def test_takes_other_credentials(self) -> None:
        process, url = start(
            "--people", "12", "--app-id", "cli_x", "--app-secret", "y", "--token-life", "60"
        )
        try:
            body = {"app_id": "cli_x", "app_secret": "y"}
            path = "/open-apis/auth/v3/tenant_access_token/internal"
            assert requests.post(url + path, json=body, timeout=5).json()["expire"] == 60
        finally:
            end(process)

    def test_starts_fast(self) -> None:
        started = time.monotonic()
        process, _ = start("--people", "300")
        elapsed = time.monotonic() - started
        end(process)
        assert elapsed < 3, "1 s on an idle machine, interpreter included"
