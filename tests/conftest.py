"""What every test can ask for: a sandbox tenant over real HTTP, and a mirror filled from it.

One sandbox for the whole run, put back to its first day before each test that uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone, translation

from lifecycle import append_only
from lifecycle.changes import protocol
from lifecycle.changes.kinds import kind_named
from lifecycle.models import Employee, Role, StatusChange, User
from lifecycle.models.mirror import Mirrored
from lifecycle.sandbox.control import SandboxControl
from lifecycle.sandbox.testing import SandboxServer
from lifecycle.services import changes as change_services
from lifecycle.services import sync
from tests.lock_order import LockOrder

PEOPLE = 40


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer().start(people=PEOPLE, seed=1, rate_scale=1000) as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: SandboxServer, settings) -> Iterator[SandboxControl]:
    """Feishu on its first day, and the portal pointed at it. Nothing is settled before
    0.2 s have passed, so that a test does not wait a minute."""
    control = sandbox_server.control
    control.reset()
    settings.FEISHU_BASE_URL = sandbox_server.base_url
    settings.FEISHU_APP_ID = "cli_sandbox"
    settings.FEISHU_APP_SECRET = "sandbox-secret"
    settings.FEISHU_RATE_SCALE = 1000
    settings.SEND_DEADLINE = timedelta(seconds=2)
    settings.SETTLE_AFTER = {name: timedelta(0) for name in settings.SETTLE_AFTER}
    settings.SETTLE_READ_GAP = timedelta(seconds=12)
    yield control
    control.clear_faults()


MIRRORED = ("departments", "talents", "applications", "employees", "employments", "contacts")
# The log starts empty in every test, and its rows cannot be taken out again.
Tables = list[tuple[type[Model], list[dict[str, Any]]]]
NOT_COPIED = {
    "ActionEntry", "ActionLogHead", "PrivateValue", "RecoveryCode", "SecondStep", "SignInSession",
    "User",
}  # fmt: skip


@pytest.fixture(scope="session")
def filled_tables() -> dict[tuple[str, ...], Tables]:
    """What the first sync of these kinds has filled, for the tests after it."""
    return {}


@pytest.fixture
def mirrored(sandbox: SandboxControl, db, filled_tables) -> Callable[..., SandboxControl]:
    """`mirrored("talents", ...)` fills the mirror with these kinds. The tenant's first day is the
    same for every test, so it is read once a run."""

    def fill(*kinds: str) -> SandboxControl:
        if kinds in filled_tables:
            fill_again(filled_tables[kinds])
            return sandbox
        models = [
            model
            for model in apps.get_app_config("lifecycle").get_models()
            if model.__name__ not in NOT_COPIED
        ]
        # What a test has made before is its own, not the tenant's.
        own = {model: set(model._base_manager.values_list("pk", flat=True)) for model in models}
        for kind in kinds:
            sync.sync_kind(kind)
        sandbox.clear_requests()
        filled_tables[kinds] = [
            (model, list(model._base_manager.exclude(pk__in=own[model]).order_by("pk").values()))
            for model in models
        ]
        return sandbox

    return fill


@pytest.fixture
def mirror(mirrored) -> SandboxControl:
    """The mirror, filled with what most tests need."""
    return mirrored(*MIRRORED)


def fill_again(tables: Tables) -> None:
    # Together, because rows come before those they refer to.
    with transaction.atomic():
        for model, rows in tables:
            model._base_manager.bulk_create(
                [model(**row) for row in rows], ignore_conflicts=True, batch_size=500
            )
    models = [model for model, rows in tables if rows]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def log_is_locked_last() -> Iterator[None]:
    """In whatever a test does, no row of the mirror is written once the end of the log is locked:
    on PostgreSQL a sync, which does it the other way round, would wait for it in a circle."""
    order = LockOrder()
    with connection.execute_wrapper(order):
        yield
    assert not order.broken


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    """Passwords that cost nothing: hundreds of tests make somebody who signs in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_language(settings) -> Iterator[None]:
    """A page that a test has asked for in English leaves English behind."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def lifted_log(transactional_db) -> Iterator[None]:
    """The append-only triggers, taken away only while a test's tables are emptied."""
    append_only.install(connection)
    yield
    append_only.lift(connection)


@pytest.fixture
def mei(db) -> User:
    """Mei works in HR and sees the whole company."""
    return User.objects.create_user("mei", password="correct horse", role=Role.HR, last_name="梅")


@pytest.fixture
def hua(db) -> User:
    """Hua works in HR too: what Mei asked for, Hua may decide."""
    return User.objects.create_user("hua", password="correct horse", role=Role.HR, last_name="华")


@pytest.fixture
def ana(db) -> User:
    """Ana audits."""
    return User.objects.create_user("ana", password="correct horse", role=Role.AUDITOR)


@pytest.fixture
def bo(mirror: SandboxControl) -> Employee:
    """Bo is on probation, in Hire only."""
    return Employee.objects.filter(
        onboard_status="onboarded", conversion_status="not_converted", employment_id=""
    ).order_by("due_sort_on", "pk")[0]


class Asking:
    """Plans and confirms as a person does, and lets the worker go on as far as time does."""

    def __init__(self, user: User) -> None:
        self.user = user

    def plan(self, record: Mirrored, kind: str = "convert_employee", **values):
        if kind == "convert_employee":
            values.setdefault("converted_on", timezone.localdate())
        return change_services.plan_change(
            kind_named(kind),
            record,
            values,
            acting_user=self.user,
            submission_key=str(uuid4()),
            at=timezone.now(),
        )

    def confirm(self, plan, *, key: str | None = None, at: datetime | None = None) -> StatusChange:
        return change_services.submit_change(
            plan.kind,
            plan.record,
            plan.values,
            acting_user=self.user,
            submission_key=key or plan.key,
            pre_image_hash=plan.pre_image_hash,
            payload_hash=plan.payload_hash,
            at=at or timezone.now(),
        )

    def ask(self, record: Mirrored, kind: str = "convert_employee", **values) -> StatusChange:
        return self.confirm(self.plan(record, kind, **values))


@pytest.fixture
def asking(mei: User) -> Asking:
    return Asking(mei)


@pytest.fixture
def worker():
    """`worker(change)` does the next step; `worker(change, later=...)` when time has passed."""

    def step(change: StatusChange, *, later: timedelta = timedelta(0)) -> StatusChange:
        protocol.run(change.pk, at=timezone.now() + later)
        change.refresh_from_db()
        return change

    return step
