"""The human table of codes, against the error tables of Feishu's five pages."""

from __future__ import annotations

import re

import pytest

from lifecycle.errors.feishu_codes import ALL, ANY_ENDPOINT, FeishuCode, lookup
from lifecycle.feishu import endpoints
from lifecycle.feishu.code_rows import COREHR, GATEWAY, HIRE, ROWS
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.outcomes import Outcome, row_for

# HTTP status and code, copied from the error tables of the five pages.
PAGES = {
    "POST /hire/v1/talents/:talent_id/onboard_status": "500 1002001 400 1002002",
    "PATCH /hire/v1/employees/:employee_id": """
        500 1002001 400 1002002 400 1002908 400 1002905 400 1002903 400 1002902 400 1002907
        400 1002910""",
    "POST /hire/v1/applications/:application_id/transfer_onboard": """
        500 1002001 400 1002002 404 1002901 400 1002902 400 1002904 400 1002905 500 1002908
        500 1002210""",
    "POST /corehr/v2/offboardings/edit": """
        400 1160103 400 1160102 400 1160203 400 1160204 400 1160205 400 1160602 400 1160603
        400 1160604 400 1160607 400 1160608 400 1160610 400 1160710 400 1160200 400 1160601
        400 1160617 400 1160618 400 1160619 400 1160623 400 1160624 400 1160625 400 1160631
        400 1160636 400 1160637 400 1160638 400 1160639 400 1160700 400 1160304 400 1160300
        400 1160630 400 1161000""",
    "PATCH /corehr/v1/pre_hires/:pre_hire_id": """
        400 1161019 400 1161020 400 1161021 400 1161022 400 1161023 400 1161024 400 1161025
        500 1160025""",
}
NEWER = {("POST /corehr/v2/offboardings/edit", 400, code) for code in (1161001, 1161002)}
GATEWAY_CODES = [
    *(99991400, 99991401, 99991661, 99991662, 99991663, 99991664, 99991665, 99991668, 99991669),
    *(99991671, 99991672, 99991673, 99991677, 99991679, 10014, 99992351, 99992360, 99992361),
    *(99992363, 99992379, 99992380, 99992402, 1161604, 1161204),
]


def documented() -> set[tuple[str, int, int]]:
    found = set()
    for key, table in PAGES.items():
        numbers = [int(number) for number in table.split()]
        found |= {(key, *pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)}
    return found


class TestFeishuCodes:
    def test_hold_every_pair_of_the_pages_and_no_other(self) -> None:
        rows = {(row.endpoint_key, row.http_status, row.code) for row in ALL}
        of_endpoints = {row for row in rows if row[0] != ANY_ENDPOINT}
        assert len(documented()) == 56
        assert of_endpoints == documented() | NEWER

    def test_belong_to_endpoints_we_call(self) -> None:
        keys = {row.endpoint_key for row in ALL} - {ANY_ENDPOINT}
        assert keys == {endpoint.key for endpoint in endpoints.WRITES}

    def test_stand_once_each(self) -> None:
        assert len({(row.endpoint_key, row.code) for row in ALL}) == len(ALL)

    @pytest.mark.parametrize("code", GATEWAY_CODES)
    def test_cover_the_gateway(self, code: int) -> None:
        for endpoint in endpoints.ALL.values():
            assert lookup(endpoint.key, code) is not None

    @pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.endpoint_key}-{row.code}")
    def test_speak_in_whole_sentences_of_both_languages(self, row: FeishuCode) -> None:
        for text in (row.sentence_zh, row.advice_zh):
            assert re.search(r"[\u4e00-\u9fff]", text)
            assert text.endswith("。")
        for text in (row.sentence_en, row.advice_en):
            assert re.match(r"[A-Z]", text)
            assert text.endswith(".")
        assert row.owner in {"hr", "feishu_admin", "app_owner", "wait"}

    @pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.endpoint_key}-{row.code}")
    def test_use_no_programmers_words(self, row: FeishuCode) -> None:
        english = f"{row.sentence_en} {row.advice_en}".lower()
        chinese = row.sentence_zh + row.advice_zh
        assert not re.search(r"parameter|payload|api\b|enum|boolean|null|json|http status", english)
        assert not re.search(r"参数|入参|枚举|布尔|接口频率", chinese)

    @pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.endpoint_key}-{row.code}")
    def test_say_nothing_of_our_insides(self, row: FeishuCode) -> None:
        english = f"{row.sentence_en} {row.advice_en}"
        chinese = row.sentence_zh + row.advice_zh
        insides = (
            r"worker|queue|mirror|database|attempt|endpoint|exception|client_token|_|[45]\d\d\b"
        )
        assert not re.search(insides, english, re.IGNORECASE)
        assert not re.search(
            r"队列|镜像|数据库|请求体|字段名|回读|_|[a-z]_id|(?<!\d)[45]00(?!\d)", chinese
        )

    @pytest.mark.parametrize("endpoint", endpoints.WRITES, ids=lambda one: one.key)
    @pytest.mark.parametrize("text", ["sentence_zh", "sentence_en"])
    def test_of_one_endpoint_read_differently(self, endpoint: Endpoint, text: str) -> None:
        texts = [getattr(row, text) for row in ALL if row.endpoint_key == endpoint.key]
        assert len(texts) == len(set(texts)) > 1

    @pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.endpoint_key}-{row.code}")
    def test_name_who_can_help(self, row: FeishuCode) -> None:
        assert row.owner_words.zh in {"HR", "飞书管理员", "应用负责人", "无需处理，等待即可"}
        asked = {"feishu_admin": "管理员", "app_owner": "应用负责人"}.get(row.owner, "")
        assert asked in row.advice_zh
        if row.owner == "wait":
            assert re.search(r"请不要再次提交|等待", row.advice_zh)

    def test_name_the_switch_of_hire(self) -> None:
        for key in ("PATCH /hire/v1/employees/:employee_id", endpoints.WRITES[2].key):
            row = lookup(key, 1002908)
            assert row is not None
            assert "飞书招聘 → 设置 → 生态对接 → e-HR/OA办公系统" in row.advice_zh
            assert row.owner == "feishu_admin"


class TestLookup:
    def test_prefers_the_endpoints_own_row(self) -> None:
        own = lookup("POST /corehr/v2/offboardings/edit", 1160102)
        shared = lookup("GET /corehr/v1/pre_hires", 1160102)
        assert own is not None
        assert shared is not None
        assert own.sentence_en != shared.sentence_en

    def test_tells_the_same_number_apart(self) -> None:
        employee = lookup("PATCH /hire/v1/employees/:employee_id", 1002902)
        application = lookup(endpoints.APPLICATION_TRANSFER_ONBOARD.key, 1002902)
        assert employee is not None
        assert application is not None
        assert employee.sentence_zh != application.sentence_zh

    @pytest.mark.parametrize("code", [0, 424242, None])
    def test_knows_nothing_of_undocumented_codes(self, code: int | None) -> None:
        assert lookup("PATCH /hire/v1/employees/:employee_id", code) is None


class TestTablesTogether:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.where}-{row.code}")
    def test_every_code_with_an_outcome_has_a_sentence(self, row: object) -> None:
        places = {HIRE: endpoints.TALENT_LIST.key, COREHR: endpoints.PRE_HIRE_LIST.key}
        places[GATEWAY] = endpoints.USER_BATCH_GET.key
        where = row.where  # type: ignore[attr-defined]
        assert lookup(places.get(where, where), row.code) is not None  # type: ignore[attr-defined]

    def test_nobody_is_told_to_submit_again_what_may_have_worked(self) -> None:
        for endpoint in endpoints.WRITES:
            for text in (row for row in ALL if row.endpoint_key == endpoint.key):
                row = row_for(endpoint, text.code)
                assert row is not None
                may_have_worked = row.outcome is Outcome.UNKNOWN
                assert may_have_worked == ("请不要再次提交" in text.advice_zh)
