# ruff: noqa: E402, T201 - Django is set up before anything of it is imported.
"""The property test over the tree this is started in: `python -m tests.mutants.inside NAME`.

`prepare` makes a migrated database with the mirror filled; `run` runs the property test over it
until the first failure, which it prints. What is given by the environment is said in test_mutants.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from lifecycle.sandbox.control import SandboxControl
from lifecycle.sandbox.testing import SandboxServer
from lifecycle.services import sync
from tests.changes.properties import running
from tests.changes.properties.verbs import KINDS


def point_at(server: SandboxServer) -> SandboxControl:
    """The settings that tests/conftest.py gives to a test."""
    settings.FEISHU_BASE_URL = server.base_url
    settings.FEISHU_APP_ID = "cli_sandbox"
    settings.FEISHU_APP_SECRET = "sandbox-secret"
    settings.FEISHU_RATE_SCALE = 1000
    settings.SEND_DEADLINE = timedelta(seconds=2)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for name, value in running.SETTINGS.items():
        setattr(settings, name, value)
    return server.control


def prepare(_tenant: SandboxControl) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    for kind in KINDS:
        sync.sync_kind(kind)


def run(tenant: SandboxControl) -> None:
    with connection.cursor() as cursor:
        # Nothing here survives the run, so that nothing has to reach the disk.
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
    with transaction.atomic():
        world = running.make_world(tenant)
        running.run_each(world)
        running.run_each_moment(world)
        running.run(
            world,
            examples=int(os.environ["MUTANT_EXAMPLES"]),
            steps=int(os.environ["MUTANT_STEPS"]),
            seed=int(os.environ.get("MUTANT_SEED", "1")),
            shrink=False,
        )
        transaction.set_rollback(True)


if __name__ == "__main__":
    # Faults are the point; what is said of them is not.
    logging.disable(logging.CRITICAL)
    with SandboxServer().start(people=40, seed=1, rate_scale=1000) as sandbox_server:
        {"prepare": prepare, "run": run}[sys.argv[1]](point_at(sandbox_server))
    print("done")
