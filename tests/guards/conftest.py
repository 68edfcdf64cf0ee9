"""Who guards: Mei asks, Hua is the second person, Zhou administers."""

from __future__ import annotations

import pytest

from lifecycle.models import Employee, Role, User
from tests.views.conftest import _a_browser_on_this_machine, as_user, li

__all__ = ["_a_browser_on_this_machine", "as_user", "li"]


@pytest.fixture
def zhou(db) -> User:
    return User.objects.create_user(
        "zhou", password="correct horse", role=Role.ADMINISTRATOR, last_name="周"
    )


@pytest.fixture
def two(mirror) -> list[Employee]:
    """Two people on probation, in Hire only."""
    return list(
        Employee.objects.filter(
            onboard_status="onboarded", conversion_status="not_converted", employment_id=""
        ).order_by("due_sort_on", "pk")[:2]
    )
