"""`manage.py feishu_errors`, against the error tables of Feishu's five pages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

BASE_DIR = Path(__file__).resolve().parent.parent.parent

TALENT = "POST /hire/v1/talents/:talent_id/onboard_status"
EMPLOYEE = "PATCH /hire/v1/employees/:employee_id"
ONBOARD = "POST /hire/v1/applications/:application_id/transfer_onboard"
OFFBOARDING = "POST /corehr/v2/offboardings/edit"
PRE_HIRE = "PATCH /corehr/v1/pre_hires/:pre_hire_id"

# (endpoint, HTTP status, code) of every row of the five error tables, and after them the
# two that only the newer edition of the offboarding page has.
TRUTH = {
    (TALENT, 400, 1002002),
    (TALENT, 500, 1002001),
    (EMPLOYEE, 500, 1002001),
    *((EMPLOYEE, 400, code) for code in (1002002, 1002902, 1002903, 1002905)),
    *((EMPLOYEE, 400, code) for code in (1002907, 1002908, 1002910)),
    *((ONBOARD, 500, code) for code in (1002001, 1002210, 1002908)),
    *((ONBOARD, 400, code) for code in (1002002, 1002902, 1002904, 1002905)),
    (ONBOARD, 404, 1002901),
    *((OFFBOARDING, 400, code) for code in (1160102, 1160103, 1160200, 1160203, 1160204)),
    *((OFFBOARDING, 400, code) for code in (1160205, 1160300, 1160304, 1160601, 1160602)),
    *((OFFBOARDING, 400, code) for code in (1160603, 1160604, 1160607, 1160608, 1160610)),
    *((OFFBOARDING, 400, code) for code in (1160617, 1160618, 1160619, 1160623, 1160624)),
    *((OFFBOARDING, 400, code) for code in (1160625, 1160630, 1160631, 1160636, 1160637)),
    *((OFFBOARDING, 400, code) for code in (1160638, 1160639, 1160700, 1160710, 1161000)),
    *((PRE_HIRE, 400, code) for code in range(1161019, 1161026)),
    (PRE_HIRE, 500, 1160025),
}
NEWER = {(OFFBOARDING, 400, 1161001), (OFFBOARDING, 400, 1161002)}
# Codes after which nobody knows whether something was done; all others refuse.
NOT_KNOWN = {
    *((endpoint, 1002001) for endpoint in (TALENT, EMPLOYEE, ONBOARD)),
    (OFFBOARDING, 1160103),
    (OFFBOARDING, 1161000),
    (PRE_HIRE, 1160025),
}
KEYS = ["endpoint", "http_status", "code", "sentence_zh", "sentence_en", "advice_zh"]
KEYS += ["advice_en", "owner", "outcome"]


def listed(*arguments: str) -> str:
    out = StringIO()
    call_command("feishu_errors", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return json.loads(listed("--json"))


class TestJson:
    def test_holds_every_code_of_the_pages_and_no_other(self, rows):
        assert len(TRUTH) == 56
        found = {(row["endpoint"], row["http_status"], row["code"]) for row in rows}
        assert found == TRUTH | NEWER
        assert len(rows) == 58

    def test_each_row_is_complete(self, rows):
        for row in rows:
            assert list(row) == KEYS
            assert all(row[key] for key in KEYS)
            assert re.search(r"[\u4e00-\u9fff]", row["sentence_zh"] + row["advice_zh"])
            assert row["owner"] in {"hr", "feishu_admin", "app_owner", "wait"}

    def test_codes_of_one_endpoint_can_be_told_apart(self, rows):
        for key in ("sentence_zh", "sentence_en"):
            assert len({(row["endpoint"], row[key]) for row in rows}) == 58

    def test_tells_what_a_code_makes_of_a_change(self, rows):
        found = {(row["endpoint"], row["code"]): row["outcome"] for row in rows}
        assert {key for key, outcome in found.items() if outcome == "unknown"} == NOT_KNOWN
        assert set(found.values()) == {"unknown", "rejected"}

    def test_stands_in_the_order_of_the_pages(self, rows):
        order = [TALENT, EMPLOYEE, ONBOARD, OFFBOARDING, PRE_HIRE]
        places = [(order.index(row["endpoint"]), row["code"]) for row in rows]
        assert places == sorted(places)
        assert listed("--json") == listed("--json")

    def test_adds_the_codes_any_call_can_answer(self, rows):
        everything = json.loads(listed("--json", "--all"))
        assert everything[:58] == rows
        assert {row["endpoint"] for row in everything[58:]} == {"*"}
        shared = {row["code"]: row for row in everything[58:]}
        assert (shared[99991400]["http_status"], shared[99991400]["outcome"]) == (429, "throttled")
        assert (shared[99991663]["http_status"], shared[99991663]["outcome"]) == (None, "auth")
        assert shared[10015]["outcome"] is None

    def test_is_utf_8_whatever_the_locale(self, rows, tmp_path):
        done = subprocess.run(
            [sys.executable, "manage.py", "feishu_errors", "--json"],
            cwd=BASE_DIR,
            env={
                "PATH": os.environ["PATH"],
                "HRPORTAL_LOCAL": "1",
                "HRPORTAL_VAR_DIR": str(tmp_path),
                "PYTHONIOENCODING": "ascii",
            },
            capture_output=True,
            check=True,
            timeout=100,
        )
        assert json.loads(done.stdout.decode("utf-8")) == rows


class TestTable:
    def test_speaks_chinese_first(self, rows):
        table = listed()
        assert all(f"{row['code']}" in table and row["sentence_zh"] in table for row in rows)
        assert "[飞书管理员] 请飞书招聘管理员" in table
        assert table.splitlines()[0] == TALENT

    def test_speaks_english_when_asked(self, rows):
        table = listed("--language", "en")
        assert all(row["sentence_en"] in table and row["advice_en"] in table for row in rows)
        assert "[Nobody: wait] Do not submit it again." in table

    def test_keeps_shared_codes_for_those_who_ask(self):
        assert "99991400" not in listed()
        assert "any call\n" in listed("--all")
