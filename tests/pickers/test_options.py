"""The address htmx asks for options."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]


@pytest.fixture
def client(mei) -> Client:
    client = Client()
    client.force_login(mei)
    return client


def test_options_come_as_a_list_of_their_own(client):
    answer = client.get("/pick/contact/", {"q": "王伟", "list": "id_leader-list"})
    page = answer.content.decode()
    assert '<ul role="listbox" id="id_leader-list"' in page
    assert page.count('role="option"') == 4
    assert 'id="id_leader-list-1" aria-selected="false" data-value="ou_01"' in page
    assert "<html" not in page


def test_the_chosen_one_is_marked(client):
    page = client.get("/pick/contact/", {"chosen": "ou_03"}).content.decode()
    assert 'aria-selected="true" data-value="ou_03"' in page


def test_nothing_that_fits_is_said_in_words(client):
    page = client.get("/pick/contact/", {"q": "赵钱孙"}).content.decode()
    assert page.count("没有匹配项") == 2


def test_where_the_list_is_not_complete_an_id_may_be_typed(client):
    assert "飞书 ID" in client.get("/pick/job_family/", {"q": "x1"}).content.decode()
    assert "飞书 ID" not in client.get("/pick/job_level/", {"q": "x1"}).content.decode()


@pytest.mark.parametrize("bad", ["x" * 10_000, "<script>", '" onclick="', "\x00", "1", ""])
def test_bad_input_gets_an_answer(client, bad):
    for key in ("q", "list", "chosen"):
        answer = client.get("/pick/department/", {key: bad})
        assert answer.status_code == 200
        assert "<script>" not in answer.content.decode()


def test_a_list_there_is_not_is_not_found(client):
    assert client.get("/pick/salary/").status_code == 404


def test_it_only_reads(client):
    assert client.post("/pick/contact/").status_code == 405


@pytest.mark.urls("tests.pickers.page")
class TestPage:
    """Without script: the form as it is posted."""

    def test_comes_back_with_a_choice_and_then_takes_it(self, client):
        posted = {"department_text": "平台部", "department_was": "", "department": ""}
        answer = client.post("/test-page/", posted)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert '<option value="od-5">星河' not in page
        assert '<option value="od-5">市场中心 / 平台部' in page
        posted |= {"department_was": "平台部", "department": "od-5"}
        answer = client.post("/test-page/", posted)
        assert answer.status_code == 200
        assert '<dd data-name="department">od-5</dd>' in answer.content.decode()
