"""Cards of a request that several people decide, one after the other."""

from __future__ import annotations

import pytest
from django.utils import timezone

from lifecycle.models import Contact, Role, StatusChange, User
from lifecycle.services import requests, routes
from tests.cards.conftest import later, told, words_of

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def ping(bo, li) -> User:
    others = Contact.objects.exclude(feishu_id__in=[li.open_id, bo.person.open_id])
    others = others.filter(is_active=True)  # no card reaches who has left
    open_id = others.order_by("-pk")[0].feishu_id
    return User.objects.create_user("ping", role=Role.HR, last_name="平", open_id=open_id)


def test_each_step_has_its_card_and_the_earlier_one_tells_who_is_next(bo, mei, li, ping, feishu):
    routes.set_route("", "leader-hrbp", reason="as agreed", acting_user=mei, at=NOW())
    request = requests.ask(bo, acting_user=mei, at=NOW())
    told()
    assert "第 1 步，共 2 步" in words_of(feishu.card(li)["card"])
    assert "之后还需其他人同意" in words_of(feishu.card(li)["card"])
    assert feishu.cards(ping) == []
    answer = feishu.press(li, "approve")
    assert answer["toast"]["content"] == "已同意，接下来由其他人决定。"
    assert f"接下来由{ping.name}决定（第 2 步，共 2 步）" in words_of(answer["card"]["data"])
    assert not StatusChange.objects.exists()
    told()
    assert f"{li.name}已同意（第 1 步）" in words_of(feishu.card(ping)["card"])
    assert feishu.press(ping, "approve")["toast"]["type"] == "success"
    request.refresh_from_db()
    assert (request.status, request.decided_by) == ("approved", ping)
    told(at=later(1))
    for user in (li, ping):
        assert "将在当天发送到飞书" in words_of(feishu.card(user)["card"])
