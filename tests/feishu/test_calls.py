"""A call, its canonical text and its hash."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call, query_of
from lifecycle.feishu.errors import InvalidId, InvalidValue

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
BODIES = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def patch(employee_id: str = "7095", **body: object) -> Call:
    return Call(endpoints.EMPLOYEE_PATCH, {"employee_id": employee_id}, (("b", "2"),), body)


class TestPath:
    def test_puts_the_id_in_place(self) -> None:
        assert patch("70_9-5").path == "/open-apis/hire/v1/employees/70_9-5"

    def test_encodes_what_an_id_may_hold(self) -> None:
        assert patch("Zu-cKz1g==").path.endswith("/Zu-cKz1g%3D%3D")

    @pytest.mark.parametrize(
        "bad", ["", "a/b", "../x", "a b", "a\n", "人", "a?b", "a" * 65, "%2e", None, 7095]
    )
    def test_refuses_an_id_that_could_leave_its_place(self, bad: str) -> None:
        with pytest.raises(InvalidId):
            patch(bad)

    def test_refuses_a_missing_and_a_surplus_id(self) -> None:
        with pytest.raises(InvalidId):
            Call(endpoints.EMPLOYEE_PATCH, {})
        with pytest.raises(InvalidId):
            Call(endpoints.TALENT_LIST, {"talent_id": "1"})


class TestCanonical:
    def test_is_sorted_compact_and_unescaped(self) -> None:
        assert patch(b=1, a="转正").canonical() == (
            '{"body":{"a":"转正","b":1},"endpoint":"hire.employees.patch",'
            '"path":{"employee_id":"7095"},"query":[["b","2"]]}'
        )

    def test_does_not_depend_on_the_order_of_the_body(self) -> None:
        assert patch(a=1, b=2).hash == patch(b=2, a=1).hash

    def test_changes_with_every_part(self) -> None:
        other_query = Call(endpoints.EMPLOYEE_PATCH, {"employee_id": "7095"}, (), {"a": 1})
        other_endpoint = Call(endpoints.EMPLOYEE_GET, {"employee_id": "7095"}, (("b", "2"),), {})
        calls = [patch(a=1), patch(a="1"), patch("7096", a=1), other_query, other_endpoint]
        assert len({call.hash for call in calls}) == 5

    @given(BODIES, st.lists(st.tuples(TEXT, TEXT), max_size=3))
    def test_gives_the_same_call_back(
        self, body: dict[str, object], query: list[tuple[str, str]]
    ) -> None:
        call = Call(endpoints.EMPLOYEE_PATCH, {"employee_id": "1"}, tuple(query), body)
        again = Call.from_canonical(call.canonical())
        assert (again, again.hash) == (call, call.hash)
        assert json.loads(again.body_bytes or b"") == body

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            "null",
            '{"body":null,"endpoint":"no.such","path":{},"query":[]}',
            '{"body":null,"endpoint":"hire.talents.list","path":{},"query":[["a"]]}',
            '{"body": null,"endpoint":"hire.talents.list","path":{},"query":[]}',
            '{"body":{"a":1.5},"endpoint":"hire.talents.list","path":{},"query":[]}',
            '{"body":"x","endpoint":"hire.talents.list","path":{},"query":[]}',
            "[" * 100_000,
        ],
    )
    def test_refuses_a_text_that_is_not_one(self, text: str) -> None:
        with pytest.raises(InvalidValue):
            Call.from_canonical(text)


class TestBody:
    @pytest.mark.parametrize("value", [1.5, float("nan"), b"x", {1: "a"}, "\ud800", {"a"}])
    def test_refuses_what_json_cannot_carry_exactly(self, value: object) -> None:
        with pytest.raises(InvalidValue):
            patch(a=value)

    def test_is_a_copy(self) -> None:
        entries = [{"rate": 100}]
        call = patch(entries=entries)
        entries[0]["rate"] = 1
        assert call.body == {"entries": [{"rate": 100}]}

    def test_is_absent_when_there_is_none(self) -> None:
        assert Call(endpoints.TALENT_LIST, {}).body_bytes is None


class TestRepr:
    def test_shows_neither_ids_nor_body(self) -> None:
        text = repr(patch("7095001", overboard_note="secret reason"))
        assert "7095001" not in text
        assert "secret" not in text
        assert "hire.employees.patch" in text


class TestQueryOf:
    def test_leaves_out_none_and_repeats_lists(self) -> None:
        assert query_of(a=None, b=1, c=["x", "y"], d=[]) == (("b", "1"), ("c", "x"), ("c", "y"))
