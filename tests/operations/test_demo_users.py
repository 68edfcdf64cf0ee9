"""Sign-ins whose password everybody knows exist on a sandbox only."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from lifecycle.checks import is_stand_in
from lifecycle.management.commands.create_demo_users import busiest_leader
from lifecycle.models import Employee, Role, User


class TestSandboxOnly:
    @pytest.mark.parametrize(
        "address",
        ["https://open.feishu.cn", "https://127.0.0.1:8801", "http://10.0.0.1:8801", ""],
    )
    def test_creates_nobody_elsewhere(self, db, settings, address):
        settings.FEISHU_BASE_URL = address
        with pytest.raises(CommandError, match="sandbox"):
            call_command("create_demo_users")
        assert not User.objects.exists()

    def test_knows_the_sandbox(self, sandbox, settings):
        assert is_stand_in(settings.FEISHU_BASE_URL)


class TestCreateDemoUsers:
    def test_gives_each_role_a_sign_in(self, mirror, settings):
        settings.DEMO_PASSWORD = "demo"
        call_command("create_demo_users")
        assert dict(User.objects.values_list("username", "role")) == {
            "hr": Role.HR,
            "manager": Role.MANAGER,
            "auditor": Role.AUDITOR,
            "admin": Role.ADMINISTRATOR,
        }
        assert authenticate(username="hr", password="demo")

    def test_makes_the_manager_a_leader_with_conversions_to_decide(self, mirror):
        call_command("create_demo_users")
        manager = User.objects.get(username="manager")
        soon = timezone.localdate() + timedelta(days=30)
        reports = Employee.objects.filter(leader_open_id=manager.open_id)
        assert manager.open_id == busiest_leader()
        assert any(
            employee.is_on_probation and employee.expected_conversion_on <= soon
            for employee in reports
        )

    def test_links_each_to_somebody_of_that_name_in_the_sandbox(self, mirror, settings):
        settings.FEISHU_TENANT_KEY = "2f6b1c0d9e8a4751"
        call_command("create_demo_users")
        for user in User.objects.all():
            assert mirror.record("contacts", user.open_id)["name"] == user.name

    def test_changes_nothing_the_second_time(self, mirror):
        call_command("create_demo_users")
        before = list(User.objects.order_by("pk").values())
        call_command("create_demo_users")
        assert list(User.objects.order_by("pk").values()) == before

    def test_takes_another_password(self, mirror, settings):
        call_command("create_demo_users")
        settings.DEMO_PASSWORD = "another"
        call_command("create_demo_users")
        assert authenticate(username="auditor", password="another")
        assert not authenticate(username="auditor", password="demo")
