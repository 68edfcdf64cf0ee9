"""The portal as it is deployed, with its tenant, and everything that is done to it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from lifecycle.sandbox.control import SandboxControl
from tests.chaos.boundaries import Deaths
from tests.chaos.postgres import PostgresServer
from tests.operations.waiting import free_port, until
from tests.processes.portal import BASE_DIR, Portal, descendants, kill

USERS = ["mei", "hua", "lin", "tao"]
ANSWERED_WITHIN_S = 20
# How many of the kills are of one process out of many; how many programs may come up again.
PARTS, MAY_COME_UP = 0.65, 0.8
# The guard, the cluster, and two or more of its processes.
QUEUE_PROCESSES = 4
# Seconds. The order of the real ones is kept: a late effect (1 s) comes before anybody looks,
# a claim outlives an attempt, and an attempt its deadline.
QUICK = {
    "SEND_DEADLINE_SECONDS": "3",
    "ATTEMPT_LEASE_SECONDS": "5",
    "CLAIM_LEASE_SECONDS": "6",
    **{
        f"SETTLE_SECONDS_{name}": "4"
        for name in ("EMPLOYEE", "TALENT", "APPLICATION", "PRE_HIRE", "OFFBOARDING")
    },
    "SETTLE_READ_GAP_SECONDS": "1",
    "SETTLE_GIVE_UP_SECONDS": "120",
    "SWEEP_SECONDS": "1",
    "CANARY_SECONDS": "1",
    "CANARY_PATIENCE_SECONDS": "20",
}
OFFICE = {
    "DJANGO_DEBUG": "0",
    "DJANGO_HTTPS_ONLY": "0",
    "DJANGO_SECRET_KEY": "chaos-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN",
    "LOG_LEVEL": "WARNING",
}
# --preload: of the many processes that are killed, each is back in a moment.
GUNICORN = [
    "-m", "gunicorn", "tests.chaos.mortal_web:application", "--preload",
    "--workers", "2", "--worker-class", "gthread", "--threads", "4",
    "--no-control-socket", "--timeout", "60", "--log-level", "warning",
]  # fmt: skip
# Every way in which the sandbox can fail, in groups that share a delay; shares of the whole.
DELAYED = {("late",): (0.08, 1.0), ("hang", "drip"): (0.08, 4.0)}
CODES = {"A1": 1002001, "A2": 1002001, "A3": 1002001, "A4": 1160103, "A5": 1160025}
WIRE = (
    "drop_before", "drop_after", "reset_before", "reset_after", "error_before", "error_after",
    "throttle", "expired_token", "garbage", "truncated_header", "truncated_body", "redirect",
    "gzip_bomb", "brackets",
)  # fmt: skip


class Tenant:
    """The sandbox in a process of its own."""

    def __init__(self, *, people: int, seed: int, rate_scale: float = 100_000) -> None:
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self.control = SandboxControl(self.base_url)
        options = {"port": port, "people": people, "seed": seed, "rate-scale": rate_scale}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lifecycle.sandbox",
             *(f"--{name}={value}" for name, value in options.items())],
            cwd=BASE_DIR,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        until(self._is_up, within=60, what="the sandbox")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _is_up(self) -> bool:
        try:
            return bool(self.control.info()["sandbox"])
        except OSError:
            return False

    def storm(self, share: float, seed: int) -> None:
        """Each request goes wrong with this probability, in one of all the ways there are."""
        for number, (kinds, (part, delay_s)) in enumerate(DELAYED.items()):
            self.control.storm(
                list(kinds), probability=share * part, seed=seed + number, on="all",
                delay_s=delay_s,
            )  # fmt: skip
        for number, (endpoint, code) in enumerate(CODES.items()):
            for applied in (False, True):
                self.control.fault(
                    "code", endpoint=endpoint, code=code, applied=applied,
                    probability=share * 0.08, seed=seed + 10 + 2 * number + applied,
                )  # fmt: skip
        # What codes are to writes, more of the others is to reads: one share for all requests.
        for number, (requests, part) in enumerate({"all": 0.68, "reads": 0.16}.items()):
            self.control.storm(
                list(WIRE), probability=share * part, seed=seed + 50 + number, on=requests,
                delay_s=1.0,
            )  # fmt: skip


class Program:
    """One of the portal's programs, which may be killed and is started again.

    `kills`: of its processes.
    """

    def __init__(self, office: Office, name: str, command: list[str]) -> None:
        self._office, self.name, self._command = office, name, command
        self.says = office.folder / f"{name}.txt"
        self.kills = 0
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        with self.says.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self._command],
                cwd=BASE_DIR,
                env=self._office.portal.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._office.portal.look_after(self.process)

    def kill(self, *, rests_s: float = 0.0) -> None:
        """As a power cut does: all at once, so that nobody can tidy up after another. It is
        started again `rests_s` seconds later."""
        with self._lock:
            everybody = [self.process.pid, *descendants(self.process.pid)]
            for pid in everybody:
                kill(pid, signal.SIGSTOP)
            everybody = list({*everybody, *descendants(self.process.pid)})
            for pid in everybody:
                kill(pid)
            self.kills += len(everybody)
            self.process.wait()
            time.sleep(rests_s)
            self.start()

    @property
    def has_workers(self) -> bool:
        """The queue's own processes come after everything else."""
        return len(descendants(self.process.pid)) >= QUEUE_PROCESSES

    def kill_a_child(self, chance: random.Random) -> None:
        children = sorted(descendants(self.process.pid))
        if children:
            kill(chance.choice(children))
            self.kills += 1

    def kill_for_good(self) -> None:
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            kill(pid)
        self.process.wait()

    def start_if_ended(self) -> bool:
        """As systemd does with Restart=always."""
        with self._lock:
            if self.process.poll() is None:
                return False
            self.start()
            return True

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)


class Office:
    """Two web processes, two workers, and what they say."""

    def __init__(self, tenant: Tenant, database_url: str, folder: Path, **settings: str) -> None:
        self.tenant, self.folder = tenant.control, folder
        self.portal = Portal(tenant, database_url, folder)
        self.portal.module, self.portal.patience_s = "tests.chaos.inside", 600
        deaths = folder / "deaths.txt"
        self.portal.environment |= QUICK | OFFICE | settings | {"CHAOS_DEATHS": str(deaths)}
        self.deaths = Deaths(deaths)
        self.database_url = database_url
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self._port = port
        self.web: Program | None = None
        self.workers: list[Program] = []
        # Beside them, while it storms: the one whose children die at boundaries.
        self.mortal: Program | None = None

    def ask(self, action: str, **arguments: Any) -> Any:
        return self.portal.ask(action, **arguments)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR, env=self.portal.environment, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip

    def open_doors(self) -> None:
        self.web = Program(self, "web", [*GUNICORN, "--bind", f"127.0.0.1:{self._port}"])
        self.start_workers()
        until(self._is_open, within=60, what="the web server")

    def start_mortal_worker(self, seed: int) -> None:
        command = ["-m", "tests.chaos.mortal_worker", str(seed)]
        self.mortal = Program(self, "mortal-worker", command)

    def set_rates(self, scale: float) -> None:
        """Feishu's published limits times this, for the tenant and for what is started next."""
        self.tenant.options(rate_scale=scale)
        self.portal.environment["FEISHU_RATE_SCALE"] = str(scale)

    def start_workers(self) -> None:
        self.workers = [
            Program(self, f"worker-{number}", ["manage.py", "run_worker"]) for number in (1, 2)
        ]

    def _is_open(self) -> bool:
        try:
            with urlopen(f"{self.base_url}/healthz", timeout=5) as answer:  # noqa: S310
                return answer.status == 200
        except (URLError, OSError):
            return False

    def is_up(self, program: Program) -> bool:
        return self._is_open() if program is self.web else program.has_workers

    @property
    def programs(self) -> list[Program]:
        return [*([self.web] if self.web else []), *self.workers]

    def end(self) -> None:
        self.portal.end()
        # Killed in quick succession, the queue and all that looks after it leave orphans.
        for pid in running_with(f"HRPORTAL_VAR_DIR={self.folder}"):
            kill(pid)


def running_with(setting: str) -> list[int]:
    """Processes that were started with this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if setting.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


class Havoc(threading.Thread):
    """Something done again and again, at random moments, until it is told to stop."""

    def __init__(self, name: str, do: Callable[[], str], *, every: tuple[float, float],
                 seed: int) -> None:  # fmt: skip
        super().__init__(name=name, daemon=True)
        self.do, self._every, self._chance = do, every, random.Random(seed)
        self._end = threading.Event()
        self.done: Counter[str] = Counter()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._end.wait(self._chance.uniform(*self._every)):
                self.done[self.do()] += 1
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """What went wrong with it stands in `error`."""
        self._end.set()
        self.join()


class Killer:
    """kill -9 of a web process, of the whole web server, of a worker or a part of it."""

    def __init__(self, office: Office, seed: int) -> None:
        self._office, self._chance = office, random.Random(seed)

    def __call__(self) -> str:
        """A whole program is mostly given the time to come up again, or a slow machine would do
        nothing else."""
        program = self._chance.choice(self._office.programs)
        if self._chance.random() < PARTS:
            program.kill_a_child(self._chance)
            return f"a process of {program.name}"
        program.kill(rests_s=self._chance.uniform(0, 1.5))
        if self._chance.random() < MAY_COME_UP:
            with suppress(AssertionError):
                until(lambda: self._office.is_up(program), within=60)
        return program.name


class Keeper:
    """Whatever starts programs on a company's machines: what ends by itself is started again."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def __call__(self) -> str:
        ended = [program.name for program in self._office.programs if program.start_if_ended()]
        return ", ".join(["started again", *ended]) if ended else "look"


def record_or_none(tenant: SandboxControl, kind: str, record_id: str) -> dict[str, Any] | None:
    try:
        return tenant.record(kind, record_id)
    except HTTPError as error:
        if error.code != 404:
            raise
        return None


class Console:
    """Somebody edits records in Feishu's own console: what a plan was made against changes."""

    def __init__(self, tenant: SandboxControl, subjects: list[str], seed: int) -> None:
        self._tenant, self._subjects, self._chance = tenant, subjects, random.Random(seed)

    def __call__(self) -> str:
        subject = self._chance.choice(self._subjects)
        record = record_or_none(self._tenant, "employees", subject)
        if record is None:
            return "nobody there"
        due = (record["expected_conversion_time"] or 1767052800000) + 86_400_000
        with suppress(HTTPError):  # restored to pre-hire in this very moment
            self._tenant.patch("employees", subject, expected_conversion_time=due)
        return "edit"


class PostgresAway:
    """The server stops without a good-bye and comes again, all sessions of the portal's database
    end, or for a while it takes no new ones either."""

    def __init__(self, server: PostgresServer, database_url: str, seed: int) -> None:
        self._server, self._name = server, urlsplit(database_url).path.lstrip("/")
        self._chance = random.Random(seed)
        self._turns = 0

    def __call__(self) -> str:
        """Each of them once at first, and then as it comes."""
        self._turns += 1
        if self._turns <= len(self._WAYS):
            way = list(self._WAYS)[self._turns - 1]
        else:
            (way,) = self._chance.choices(list(self._WAYS), list(self._WAYS.values()))
        getattr(self, way)()
        return way

    _WAYS = {"stop": 15, "refuse": 15, "end_sessions": 70}

    def stop(self) -> None:
        self._server.stop_at_once()
        time.sleep(self._chance.uniform(0, 2))
        self._server.start()

    def refuse(self) -> None:
        self._allow(False)
        self.end_sessions()
        time.sleep(2)
        self._allow(True)

    def end_sessions(self) -> None:
        self._server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", self._name
        )

    def _allow(self, allowed: bool) -> None:
        self._server.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS {allowed}')


class Syncs:
    """Passes of the sync from the command line, some of them killed on the way."""

    def __init__(self, office: Office, seed: int) -> None:
        self._office, self._chance = office, random.Random(seed)
        self.kills = 0

    def __call__(self) -> str:
        with (self._office.folder / "sync.txt").open("a") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "sync"],
                cwd=BASE_DIR, env=self._office.portal.environment,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._office.portal.look_after(process)
        with suppress(subprocess.TimeoutExpired):
            return f"sync ended with {process.wait(timeout=self._chance.uniform(3, 40))}"
        process.kill()
        process.wait()
        self.kills += 1
        return "sync killed"


class Observer:
    """All requests the tenant has seen from a moment on; its own list is only so long."""

    def __init__(self, tenant: SandboxControl) -> None:
        self._tenant = tenant
        self._seen: dict[int, dict[str, Any]] = {}
        self._is_over = 0

    def start(self) -> None:
        """What came before is not looked at."""
        self._is_over = max((request["n"] for request in self._tenant.requests()), default=0)

    def __call__(self) -> str:
        for request in self._tenant.requests(after=self._is_over):
            self._seen[request["n"]] = request
            # What is answered later than this has been given up long ago.
            if request["received_at"] < (time.time() - ANSWERED_WITHIN_S) * 1000:
                self._is_over = request["n"]
        return "look"

    @property
    def requests(self) -> list[dict[str, Any]]:
        self()
        return [self._seen[n] for n in sorted(self._seen)]
