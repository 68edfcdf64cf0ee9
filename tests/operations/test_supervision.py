"""The supervisor, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.supervision import Program, Supervisor, Timing, answers_http
from tests.operations.waiting import free_port, is_alive, until

BASE_DIR = Path(__file__).resolve().parent.parent.parent
FAST = Timing(probe_every=0.05, first_pause=0.05, longest_pause=0.2, well_after=60, grace=5)

# Writes its own process id and that of a child of its own into a file, then waits.
WAITS = """
import os, pathlib, subprocess, sys, signal, time
if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
new = pathlib.Path(sys.argv[1] + ".new")
new.write_text(f"{os.getpid()} {child.pid}")
new.rename(sys.argv[1])
time.sleep(600)
"""


def waiting(pids: Path, *, stubborn: bool = False, **options) -> Program:
    command = [sys.executable, "-I", "-S", "-c", WAITS, str(pids)]
    return Program(pids.name, command + ["stubborn"] * stubborn, **options)


def pids_in(file: Path) -> list[int]:
    until(file.exists, what=f"{file.name} starting")
    return [int(word) for word in file.read_text().split()]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervise(said) -> Iterator[Callable[..., Supervisor]]:
    running: list[Supervisor] = []

    def start(*programs: Program, timing: Timing = FAST) -> Supervisor:
        running.append(Supervisor(list(programs), say=said.append, timing=timing))
        running[-1].tend()
        return running[-1]

    yield start
    for supervisor in running:
        supervisor.stop(hurry=lambda: True)


class TestTend:
    def test_starts_a_program_again_when_it_was_killed(self, supervise, tmp_path, said):
        pids = tmp_path / "web"
        supervisor = supervise(waiting(pids))
        first, its_child = pids_in(pids)
        pids.unlink()
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.tend() or pids.exists())
        assert first not in pids_in(pids)
        assert said == ["The web ended (signal 9); starting it again in 0.05 s."]
        until(lambda: not is_alive(its_child), what="the end of what it left behind")

    def test_waits_longer_and_longer_for_a_program_that_keeps_ending(self, supervise, said):
        ends = [sys.executable, "-I", "-S", "-c", "raise SystemExit(2)"]
        supervisor = supervise(Program("worker", ends))
        until(lambda: supervisor.tend() or len(said) >= 4)
        pauses = [sentence.rpartition("in ")[2] for sentence in said[:4]]
        assert pauses == ["0.05 s.", "0.1 s.", "0.2 s.", "0.2 s."]
        assert "exit status 2" in said[0]

    def test_starts_a_program_again_when_it_has_fallen_silent(self, supervise, tmp_path, said):
        pids, well = tmp_path / "web", tmp_path / "well"
        well.touch()
        supervisor = supervise(waiting(pids, answers=well.exists, silent_for=0.2))
        first, _ = pids_in(pids)
        until(lambda: supervisor.tend() or supervisor.all_answer)
        well.unlink()
        until(lambda: supervisor.tend() or said)
        assert said[0].startswith("The web did not answer")
        until(lambda: not is_alive(first), what="the end of the silent one")

    def test_gives_a_program_time_to_start(self, supervise, tmp_path, said):
        pids, well = tmp_path / "web", tmp_path / "well"
        program = waiting(pids, answers=well.exists, start_within=60, silent_for=0.01)
        supervisor = supervise(program)
        pids_in(pids)
        for _ in range(20):
            supervisor.tend()
            time.sleep(0.01)
        assert said == []
        assert not supervisor.all_answer
        well.touch()
        until(lambda: supervisor.tend() or supervisor.all_answer)

    def test_keeps_the_output_in_a_file(self, supervise, tmp_path):
        log = tmp_path / "logs" / "web.log"
        supervise(Program("web", [sys.executable, "-I", "-S", "-c", "print('hello')"], log=log))
        until(lambda: log.exists() and log.read_text() == "hello\n")


class TestStop:
    def test_ends_everything_in_the_opposite_order(self, supervise, tmp_path):
        first, second = tmp_path / "sandbox", tmp_path / "worker"
        supervisor = supervise(waiting(first), waiting(second))
        everybody = pids_in(first) + pids_in(second)
        supervisor.stop()
        until(lambda: not any(is_alive(pid) for pid in everybody), within=2)

    def test_ends_a_program_that_does_not_want_to(self, supervise, tmp_path):
        pids = tmp_path / "web"
        supervisor = supervise(waiting(pids, stubborn=True), timing=Timing(grace=0.2))
        everybody = pids_in(pids)
        supervisor.stop()
        until(lambda: not any(is_alive(pid) for pid in everybody), within=2)

    def test_cuts_the_grace_short_in_a_hurry(self, supervise, tmp_path):
        pids = tmp_path / "web"
        supervisor = supervise(waiting(pids, stubborn=True), timing=Timing(grace=600))
        everybody = pids_in(pids)
        supervisor.stop(hurry=lambda: True)
        until(lambda: not any(is_alive(pid) for pid in everybody), within=2)

    def test_ends_a_program_that_runs_once(self, supervise, tmp_path):
        supervisor = supervise()
        pids = tmp_path / "sync"
        supervisor.start_once(waiting(pids))
        everybody = pids_in(pids)
        supervisor.stop()
        until(lambda: not any(is_alive(pid) for pid in everybody), within=2)


# A supervisor in a process of its own, so that it can be killed.
SUPERVISES = """
import sys, time
from lifecycle.supervision import Supervisor, Timing
from tests.operations.test_supervision import waiting
from pathlib import Path
programs = [waiting(Path(name), stubborn="stubborn" in name) for name in sys.argv[1:]]
supervisor = Supervisor(programs, say=print, timing=Timing(grace=0.5))
while True:
    supervisor.tend()
    time.sleep(0.05)
"""


class TestKilledSupervisor:
    def test_leaves_nothing_running(self, tmp_path):
        files = [tmp_path / "worker", tmp_path / "stubborn"]
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISES, *map(str, files)],
            env={**os.environ, "PYTHONPATH": str(BASE_DIR)},
        )
        everybody = [pid for file in files for pid in pids_in(file)]
        assert all(is_alive(pid) for pid in everybody)
        supervisor.kill()
        supervisor.wait()
        for pid in everybody:
            until(lambda pid=pid: not is_alive(pid), what=f"the end of process {pid}")


class TestAnswersHttp:
    def test_is_false_where_nobody_listens(self):
        assert not answers_http(f"http://127.0.0.1:{free_port()}/healthz")

    def test_is_true_for_the_sandbox(self, sandbox_server):
        assert answers_http(f"{sandbox_server.base_url}/sandbox/info")
