"""The daily e-mail: once a day, only what is new, the urgent first, and never without addresses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from lifecycle.models import DigestMark
from lifecycle.services.digest import send_digest
from tests.builders import an_employee
from tests.polling.test_feed import an_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon():
    return timezone.localtime().replace(hour=12, minute=0)


@pytest.fixture
def lei(settings):
    settings.DIGEST_EMAILS = ["hr@example.com"]
    return an_employee("李雷")


class TestDigest:
    def test_tells_what_is_new_with_the_urgent_first(self, lei, noon):
        assert send_digest(noon) == 0
        an_event(lei.person, field="name", before="李蕾", after="李雷")
        an_event(lei.person, alert="start-moved")
        assert send_digest(noon + timedelta(days=1)) == 2
        (letter,) = mail.outbox
        assert letter.bcc == ["hr@example.com"]
        assert letter.body.index("2026-12-15") < letter.body.index("李蕾")
        assert "李雷 的入职日期" in letter.body

    def test_is_sent_once_a_day_and_tells_nothing_twice(self, lei, noon):
        send_digest(noon)
        an_event(lei.person)
        assert send_digest(noon) == 0
        assert send_digest(noon + timedelta(days=1)) == 1
        assert send_digest(noon + timedelta(days=1, hours=2)) == 0
        assert send_digest(noon + timedelta(days=2)) == 0
        assert len(mail.outbox) == 1

    def test_waits_for_its_hour(self, lei, noon, settings):
        settings.DIGEST_HOUR = 13
        assert send_digest(noon) == 0
        assert not DigestMark.objects.exists()

    def test_is_not_sent_to_nobody(self, lei, noon, settings):
        settings.DIGEST_EMAILS = []
        an_event(lei.person)
        assert send_digest(noon) == 0
        assert mail.outbox == []

    def test_is_tried_again(self, lei, noon, settings):
        send_digest(noon)
        an_event(lei.person)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert send_digest(noon + timedelta(days=1)) == 0
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert send_digest(noon + timedelta(days=1)) == 1
