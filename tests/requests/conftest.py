"""Who takes part: Mei asks, Li leads Bo, Zhao leads Li, Qin stands in."""

from __future__ import annotations

import pytest

from lifecycle.models import Contact, Role, User


def a_manager(username: str, name: str) -> User:
    return User.objects.create_user(
        username,
        password="correct horse",
        role=Role.MANAGER,
        last_name=name,
        open_id=f"ou_{username}",
        email=f"{username}@example.com",
    )


@pytest.fixture(autouse=True)
def _mail(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def zhao(db) -> User:
    return a_manager("zhao", "赵")


@pytest.fixture
def qin(db) -> User:
    return a_manager("qin", "秦")


@pytest.fixture
def li(bo) -> User:
    """Bo's leader in Feishu has an account."""
    user = a_manager("li", "李")
    user.open_id = bo.leader_open_id
    user.save()
    return user


@pytest.fixture
def above(li, zhao) -> User:
    """Zhao leads Li."""
    Contact.objects.update_or_create(
        feishu_id=li.open_id,
        defaults={"leader_open_id": zhao.open_id, "asked_at": "2026-01-01T00:00Z"},
    )
    return zhao
