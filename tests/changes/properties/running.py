"""Running the property test: in a test, and by itself over a copy of the portal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase
from hypothesis import seed as seeded
from hypothesis import settings as how
from hypothesis.stateful import run_state_machine_as_test

from lifecycle.models import Person, Role, User
from lifecycle.sandbox.control import SandboxControl
from tests.changes.properties import faults
from tests.changes.properties.machine import Portal, World
from tests.changes.properties.verbs import DAILY_LIMITS, cast

# A2, A3, A1, A5 and A4 in the order of `cast`.
ONE_OF_EACH_ENDPOINT = (0, 4, 5, 6, 7)
# So often a worker that sends holds no transaction open.
MOMENTS = 13
SETTINGS: dict[str, Any] = {
    "DAILY_LIMITS": DAILY_LIMITS,
    "DAILY_LIMIT_PER_REQUESTER": 1_000_000,
}


def make_world(tenant: SandboxControl) -> World:
    """Over a mirror that is filled already."""
    places = cast(tenant)
    subject = places[0].find()
    assert subject is not None
    Person.objects.filter(pk=subject.person_id).update(open_id="ou_bo")
    mei, hua, bo = (
        User.objects.create_user(name, password="correct horse", role=Role.HR, open_id=open_id)
        for name, open_id in (("mei", ""), ("hua", ""), ("bo", "ou_bo"))
    )
    return World(tenant=tenant, mei=mei, hua=hua, bo=bo, places=places)


def run_each(world: World) -> None:
    """Each endpoint with each kind of silence, before anything is left to chance."""
    for place in ONE_OF_EACH_ENDPOINT:
        for fault in faults.TOLD_APART:
            with example(world) as portal:
                portal.ask_send_and_wait(place, 0, fault, settle=True)


def run_each_moment(world: World) -> None:
    """A worker is overtaken, and the page of a person is old, at each moment in turn."""
    for after in range(MOMENTS):
        with example(world) as portal:
            portal.stopped_meanwhile(ONE_OF_EACH_ENDPOINT[0], 0, after)
        with example(world) as portal:
            portal.two_workers(ONE_OF_EACH_ENDPOINT[-1], 0, after, faults.LOST)
    for end in ("agree", "reject", "days_pass"):
        with example(world) as portal:
            portal.ask_and_be_judged(0, 0, end)
    with example(world) as portal:
        portal.ask_and_cancel_an_old_page(0, 0)


@contextmanager
def example(world: World) -> Iterator[Portal]:
    """One that is told, with all that has to hold after it."""
    portal = type("Portal", (Portal,), {"world": world})()
    try:
        yield portal
        portal.rows_and_log()
    finally:
        portal.teardown()


def run(world: World, *, examples: int, steps: int, seed: int, shrink: bool = True) -> None:
    """The same seed is the same cases, as long as the rules are the same."""
    portal = seeded(seed)(type("Portal", (Portal,), {"world": world}))
    run_state_machine_as_test(
        portal,
        settings=how(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
