"""The smaller commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django_q.models import Schedule

from lifecycle import jobs

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def manage(var: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "HRPORTAL_LOCAL": "1",
            "HRPORTAL_VAR_DIR": str(var),
            "PYTHONUTF8": "1",
        },
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("create_user")
    assert manage(folder, "migrate", "-v0").returncode == 0
    return folder


class TestInstallSchedules:
    @pytest.fixture(autouse=True)
    def installed(self, db) -> None:
        call_command("install_schedules")

    @pytest.mark.parametrize(
        ("name", "job"), [("poll-often", jobs.poll_often), ("poll-rest", jobs.poll_rest)]
    )
    def test_looks_every_minute_what_is_due(self, name, job):
        schedule = Schedule.objects.get(name=name)
        assert schedule.func == f"{jobs.__name__}.{job.__name__}"
        assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)
        assert schedule.repeats == -1

    def test_changes_nothing_the_second_time(self):
        before = list(Schedule.objects.values())
        call_command("install_schedules")
        assert list(Schedule.objects.values()) == before

    def test_leaves_one_of_two_that_were_made_at_the_same_moment(self):
        before = list(Schedule.objects.order_by("pk").values())
        for schedule in Schedule.objects.filter(name__in=("poll-rest", "poll-often")):
            schedule.pk = None
            schedule.save()
        call_command("install_schedules")
        assert list(Schedule.objects.order_by("pk").values()) == before

    def test_mends_what_was_changed_by_hand(self):
        Schedule.objects.update(minutes=1, func="os.getcwd")
        Schedule.objects.create(name="stray", func="os.getcwd", schedule_type=Schedule.DAILY)
        call_command("install_schedules")
        minutes = dict(Schedule.objects.values_list("name", "minutes"))
        assert minutes["poll-rest"] == 1
        assert "stray" not in minutes

    def test_asks_every_minute_whether_a_checkpoint_is_due(self):
        schedule = Schedule.objects.get(name="sign-checkpoints")
        assert schedule.func == f"{jobs.__name__}.{jobs.sign_checkpoints.__name__}"
        assert schedule.minutes == 1


@pytest.mark.processes
class TestCreateUser:
    """With a real standard input, as an administrator's script has it."""

    def test_creates_somebody_who_can_sign_in(self, database):
        arguments = ("create_user", "ann", "--role", "auditor", "--name", "安娜")
        arguments += ("--reason", "audits from May on")
        done = manage(database, *arguments, typed="correct horse battery\n")
        assert done.returncode == 0, done.stderr
        check = (
            "from django.contrib.auth import authenticate;"
            "user = authenticate(username='ann', password='correct horse battery');"
            "from lifecycle.models import PrivateValue;"
            "print(user.role, user.name, PrivateValue.objects.get(field='reason').value)"
        )
        said = manage(database, "shell", "-v0", "-c", check).stdout
        assert said == "auditor 安娜 audits from May on\n"

    @pytest.mark.parametrize(
        ("arguments", "typed", "reason"),
        [
            (("bob", "--role", "hr"), "short\n", "12"),
            (("bob", "--role", "emperor"), "correct horse battery\n", "emperor"),
        ],
    )
    def test_refuses_in_a_sentence(self, database, arguments, typed, reason):
        done = manage(database, "create_user", *arguments, typed=typed)
        assert done.returncode != 0
        assert reason in done.stderr
        assert "Traceback" not in done.stderr

    def test_refuses_a_name_that_is_taken(self, database):
        for _ in range(2):
            arguments = ("create_user", "eve", "--role", "hr")
            done = manage(database, *arguments, typed="correct horse battery\n")
        assert done.returncode == 1
        assert "There is a user “eve” already." in done.stderr
