"""Paging: where a list ends, and lists that would never end."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle.feishu import endpoints
from lifecycle.feishu.client import Client, pages
from lifecycle.feishu.errors import NoAnswer
from lifecycle.feishu.pages import page_in, record_in

from .servers import Recorder, answer

LIST = endpoints.TALENT_LIST


class TestPageIn:
    @pytest.mark.parametrize(
        ("data", "items", "token"),
        [
            ({}, [], None),
            ({"items": None, "has_more": False}, [], None),
            ({"items": ["1"], "has_more": False, "page_token": ""}, ["1"], None),
            ({"items": ["1"], "has_more": False, "page_token": "p2"}, ["1"], None),
            ({"items": ["1"], "has_more": "true", "page_token": "p2"}, ["1"], None),
            ({"items": ["1"], "has_more": True, "page_token": "p2"}, ["1"], "p2"),
        ],
    )
    def test_ends_when_has_more_is_not_true(
        self, data: dict[str, Any], items: list[str], token: str | None
    ) -> None:
        page = page_in(LIST, data)
        assert (page.items, page.next_token) == (items, token)

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            ({"items": {}}, "items-not-a-list"),
            ({"items": "1"}, "items-not-a-list"),
            ({"items": [], "has_more": True}, "page-token-missing"),
            ({"items": [], "has_more": True, "page_token": ""}, "page-token-missing"),
            ({"items": [], "has_more": True, "page_token": 2}, "page-token-missing"),
        ],
    )
    def test_never_takes_half_a_list_for_a_whole(self, data: dict[str, Any], problem: str) -> None:
        with pytest.raises(NoAnswer) as caught:
            page_in(LIST, data)
        assert caught.value.problem == problem


class TestPages:
    def test_walks_to_the_end(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(
            answer(data={"items": [{"id": "1"}], "has_more": True, "page_token": "p2"}),
            answer(data={"items": [{"id": "2"}], "has_more": True, "page_token": "p3"}),
            answer(data={"items": [{"id": "3"}], "has_more": False}),
        )
        found = [
            item["id"]
            for page in pages(client.list_talents, page_size=1, updated_from_ms=5)
            for item in page.items
        ]
        assert found == ["1", "2", "3"]
        tokens = [dict(seen.query).get("page_token") for seen in recorder.calls]
        assert tokens == [None, "p2", "p3"]
        assert {dict(seen.query)["update_start_time"] for seen in recorder.calls} == {"5"}

    def test_stops_at_a_token_that_comes_again(self, client: Client, recorder: Recorder) -> None:
        again = answer(data={"items": [], "has_more": True, "page_token": "p2"})
        recorder.plan(*[again] * 5)
        with pytest.raises(NoAnswer) as caught:
            list(client.pages(client.list_talents))
        assert caught.value.problem == "page-token-repeats"
        assert len(recorder.calls) == 2


class TestRecordIn:
    def test_finds_the_record(self) -> None:
        assert record_in(LIST, {"employee": {"id": "1"}}, "employee") == {"id": "1"}

    @pytest.mark.parametrize("data", [{}, {"employee": None}, {"employee": [1]}])
    def test_says_when_it_is_missing(self, data: dict[str, Any]) -> None:
        with pytest.raises(NoAnswer):
            record_in(LIST, data, "employee")
