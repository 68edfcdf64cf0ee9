"""Who uses the pages: Mei and Hua work in HR, Li leads, Ana audits, Zhou administers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from lifecycle.models import Role, User
from tests.builders import a_leader

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _a_browser_on_this_machine(settings, db) -> None:
    """Plain HTTP, files as they lie in the checkout, and nobody has failed to sign in yet."""
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    cache.clear()


@pytest.fixture
def li(db) -> User:
    """Li manages."""
    user = User.objects.create_user(
        "li", password="correct horse", role=Role.MANAGER, last_name="李", open_id="ou_li"
    )
    a_leader(user, "ou_below")
    return user


@pytest.fixture
def zhou(db) -> User:
    """Zhou administers."""
    return User.objects.create_user("zhou", password="correct horse", role=Role.ADMINISTRATOR)


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A client signed in as somebody, in English so that sentences can be read here."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        client.cookies["hrportal_language"] = "en"
        return client

    return sign_in
