"""`manage.py create_demo_users`: the sign-ins of the demo, on a sandbox tenant only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from lifecycle.checks import is_stand_in
from lifecycle.models import Contact, Employee, Role, User
from lifecycle.rules import ConversionStatus, OnboardStatus
from lifecycle.services.users import change_user, create_user

DEMO_USERS = {
    "hr": ("王人事", Role.HR),
    "manager": ("李经理", Role.MANAGER),
    "auditor": ("陈审计", Role.AUDITOR),
    "admin": ("周管理", Role.ADMINISTRATOR),
}
# The colleagues of these names in every company of the sandbox.
SANDBOX_OPEN_IDS = {
    "hr": "ou_d5a02091ae48d6736ad122ae62c997a1",
    "auditor": "ou_ab6cc91d0e5f098e0decdf6d580f37cb",
    "admin": "ou_3627a2bbfe9901cd4cc2e32cab1620a6",
}
_SOON = timedelta(days=30)


class Command(BaseCommand):
    help = "Creates the demo's sign-ins; refuses anything but a sandbox tenant on this machine."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_stand_in(settings.FEISHU_BASE_URL):
            raise CommandError(
                f"Demo users are for a sandbox tenant only, and {settings.FEISHU_BASE_URL} is none."
            )
        create_demo_users(settings.DEMO_PASSWORD)


@transaction.atomic
def create_demo_users(password: str) -> None:
    hashed = _hash_in_use(password)
    for username, (name, role) in DEMO_USERS.items():
        # Chinese names put the family name first, in one character here.
        who = {"last_name": name[0], "first_name": name[1:], "password": hashed}
        user = User.objects.filter(username=username).first()
        if user is None:
            create_user(User(username=username, role=role.value, **who), acting_user=None)
            continue
        User.objects.filter(pk=user.pk).update(**who)
        change_user(user, acting_user=None, role=role.value)
    open_id = busiest_leader()
    leader = Contact.objects.filter(feishu_id=open_id).first() if open_id else None
    if leader:
        manager = User.objects.filter(username="manager")
        manager.update(last_name=leader.name[:1], first_name=leader.name[1:])
        change_user(manager.get(), acting_user=None, open_id=open_id)
    _link_to_feishu()


def _link_to_feishu() -> None:
    """So that each can sign in with Feishu as well; the manager is linked already."""
    if not settings.FEISHU_TENANT_KEY:
        return
    for username, open_id in SANDBOX_OPEN_IDS.items():
        if not User.objects.filter(open_id=open_id).exists():
            user = User.objects.get(username=username)
            change_user(user, acting_user=None, open_id=open_id)


def _hash_in_use(password: str) -> str:
    """The hash the demo users already have, if it is this password's: hashing takes long, and
    a new hash would end everybody's session."""
    known = User.objects.filter(username__in=DEMO_USERS).values_list("password", flat=True).first()
    return known if known and check_password(password, known) else make_password(password)


def busiest_leader() -> str | None:
    """The leader with the most direct reports whose probation ends soon or is overdue."""
    on_probation = Employee.objects.filter(
        onboard_status=OnboardStatus.ONBOARDED,
        conversion_status=ConversionStatus.NOT_CONVERTED,
        expected_conversion_on__lte=timezone.localdate() + _SOON,
    ).exclude(leader_open_id="")
    ranked = on_probation.values("leader_open_id").annotate(due=Count("pk"))
    first = ranked.order_by("-due", "leader_open_id").first()
    return str(first["leader_open_id"]) if first else None
