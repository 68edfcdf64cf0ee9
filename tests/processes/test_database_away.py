"""PostgreSQL goes away under a web server and comes back: nothing has to be started again."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest
import requests
from django.utils import timezone

from tests.operations.waiting import until
from tests.processes.on_postgres import Web, web_on_postgres

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

HTML = {"Accept": "text/html", "Accept-Language": "en"}
NEVER_TWICE = "The same form is the same change and is never taken twice."


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    with web_on_postgres(tmp_path_factory.mktemp("web")) as web:
        yield web


def signed_in(web: Web) -> requests.Session:
    session = requests.Session()
    session.headers.update(HTML)
    page = session.get(f"{web.url}/sign-in/")
    typed = {"username": "mei", "password": "correct horse"} | token(page)
    assert session.post(f"{web.url}/sign-in/", typed).status_code == 200
    assert session.get(f"{web.url}/employees/").status_code == 200
    return session


def hidden(page: requests.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)"[^>]*? value="([^"]*)"', page.text)
    return dict(found)


def token(page: requests.Response) -> dict[str, str]:
    return {"csrfmiddlewaretoken": hidden(page)["csrfmiddlewaretoken"]}


def plan(web: Web, session: requests.Session, post: dict) -> tuple[str, dict[str, str]]:
    """The address of a verb's form, and what confirming its plan posts."""
    address = f"{web.url}/employees/{post['record']}/convert/"
    form = session.get(address)
    typed = {"step": "plan", "converted_on": timezone.localdate().isoformat(), "reason": "agreed"}
    page = session.post(address, typed | token(form))
    assert "Confirm:" in page.text
    return address, hidden(page) | {"step": "confirm"}


class TestSettings:
    def test_are_in_the_log_after_the_first_answer_of_each_start(self, web, tmp_path):
        noted = ["settings.noted", "web", []]
        until(lambda: web.portal.ask("settings_told") == [noted], what="the first entry")
        Web(web.portal, "", tmp_path).open(SESSION_HOURS="8")
        changed = ["settings.changed", "web", ["SESSION_HOURS"]]
        until(lambda: web.portal.ask("settings_told") == [noted, changed], what="the second entry")


class TestPostgresAway:
    def test_each_page_says_so_and_the_next_one_after_it_works(self, web):
        session = signed_in(web)
        with web.database_away():
            for path in ("/", "/employees/", "/changes/", "/log/"):
                page = session.get(web.url + path)
                assert page.status_code == 503, path
                assert page.headers["Retry-After"] == "10"
                assert "its own database" in page.text
            assert session.get(f"{web.url}/healthz").status_code == 200
            ready = requests.get(f"{web.url}/readyz", timeout=10)
            assert ready.status_code == 503
            assert [check["name"] for check in ready.json()["checks"]] == ["database"]
        assert session.get(f"{web.url}/employees/").status_code == 200

    def test_sessions_that_ended_are_not_noticed_by_the_next_request(self, web):
        session = signed_in(web)
        web.end_sessions()
        assert session.get(f"{web.url}/employees/").status_code == 200

    def test_a_form_that_is_sent_again_is_one_change(self, web):
        session = signed_in(web)
        before = len(web.portal.ask("report")["changes"])
        address, form = plan(web, session, web.portal.ask("plans", first=0, count=1)[0])
        with web.database_away():
            refused = session.post(address, form)
        assert refused.status_code == 503
        assert NEVER_TWICE in refused.text
        again = hidden(refused)
        assert again == form
        assert len(web.portal.ask("report")["changes"]) == before
        done = [session.post(address, again) for _ in range(2)]
        assert [page.status_code for page in done] == [200, 200]
        assert done[0].url == done[1].url
        assert re.search(r"/changes/\d+/$", done[0].url)
        report = web.portal.ask("report")
        assert len(report["changes"]) == before + 1
        assert report["log"]["bad_seq"] is None
        assert report["violations"] == []

    def test_a_server_that_never_answers_is_given_up_in_seconds(self, web, tmp_path):
        """Not refused: the network swallows it, as when a machine is gone."""
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
            other = Web(web.portal, "", tmp_path)
            other.open(DATABASE_URL=f"postgres://postgres@127.0.0.1:{port}/x")
            started = time.monotonic()
            page = requests.get(
                f"{other.url}/employees/", cookies={"hrportal_session": "0" * 32},
                headers=HTML, timeout=30,
            )  # fmt: skip
            took_s = time.monotonic() - started
        assert page.status_code == 503
        assert 4 < took_s < 12
