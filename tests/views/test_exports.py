"""A list as a file: what it holds, who may have it, and what the log says about it."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log, queries
from lifecycle.models import ActionEntry
from lifecycle.services.exports import harmless
from tests.builders import a_department, an_employee
from tests.records import a_pre_hire, a_talent, an_application, an_offboarding
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db

MAKERS = {
    "talents": a_talent,
    "applications": an_application,
    "pre-hires": a_pre_hire,
    "employees": an_employee,
    "offboardings": an_offboarding,
}
PURPOSE = "月度编制盘点"
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c"


def address_of(name: str, query: str = "") -> str:
    return f"{reverse(queries.LISTS[name].export_url)}?{query}"


def download(client, name, *, query="", file_format="csv", purpose=PURPOSE) -> bytes:
    form = {"format": file_format, "purpose": purpose}
    answer = client.post(address_of(name, query), form)
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content)


def lines_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet_of(content: bytes) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        return ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314


@pytest.mark.parametrize("name", MAKERS)
class TestEveryList:
    def test_holds_the_filtered_rows_of_all_pages(self, as_user, mei, name):
        for i in range(60):
            MAKERS[name](f"员工{i:02d}", search="staff")
        MAKERS[name]("别人")
        lines = lines_of(download(as_user(mei), name, query="q=staff"))
        assert lines[0][:2] == ["Name", "Feishu id"]
        assert {line[0] for line in lines[1:]} == {f"员工{i:02d}" for i in range(60)}
        assert len(lines) == 61
        assert {len(line) for line in lines} == {len(lines[0])}

    def test_excel_holds_the_same(self, as_user, mei, name):
        for i in range(3):
            MAKERS[name](f"员工{i}")
        sheet = sheet_of(download(as_user(mei), name, file_format="xlsx"))
        cells = [c for c in sheet.iter(CELL) if c.get("t") == "inlineStr"]
        texts = ["".join(cell.itertext()) for cell in cells]
        assert {"员工0", "员工1", "员工2"} <= set(texts)
        assert not list(sheet.iter(CELL.replace("}c", "}f")))

    def test_stays_within_the_scope(self, as_user, mei, name):
        inside, outside = a_department("研发中心"), a_department("销售中心")
        for text, department in (("内", inside), ("外", outside)):
            employee = an_employee(text, department=department)
            if name != "employees":
                MAKERS[name](employee.person)
        mei.department_ids = [inside.feishu_id]
        mei.save()
        lines = lines_of(download(as_user(mei), name, query="status=all"))
        assert [line[0] for line in lines[1:]] == ["内"]

    def test_only_hr_may_have_it(self, as_user, li, ana, zhou, name):
        for user in (li, ana, zhou):
            client = as_user(user)
            assert client.get(address_of(name)).status_code == 403
            answer = client.post(address_of(name), {"format": "csv", "purpose": PURPOSE})
            assert answer.status_code == 403
            assert "/export/" not in client.get(reverse(name)).text
        assert not ActionEntry.objects.filter(event__startswith="export.").exists()

    def test_asks_as_many_questions_per_chunk_however_many_rows(self, as_user, mei, name):
        client, counts = as_user(mei), []
        for number in (5, 100):
            for i in range(number):
                MAKERS[name](f"员工{i}")
            with CaptureQueriesContext(connection) as captured:
                download(client, name)
            counts.append(len(captured))
        assert counts[0] == counts[1]

    def test_the_question_stands_alone_and_in_the_panel(self, as_user, mei, name):
        page = as_user(mei).get(address_of(name))
        assert "<html" in page.text
        panel = as_user(mei).get(address_of(name), **HTMX)
        assert "<html" not in panel.text
        for text in (page.text, panel.text):
            assert "csrfmiddlewaretoken" in text
            assert 'name="purpose"' in text


class TestContent:
    def test_ids_stay_whole_and_days_are_days(self, as_user, mei):
        pre_hire = a_pre_hire("柏小林", onboards_on=date(2026, 11, 23))
        client = as_user(mei)
        (_, line) = lines_of(download(client, "pre-hires"))
        assert line[1] == f"\t{pre_hire.feishu_id}"
        assert "2026-11-23" in line
        sheet = sheet_of(download(client, "pre-hires", file_format="xlsx"))
        cells = {c.get("r"): c for c in sheet.iter(CELL)}
        assert cells["B2"].get("t") == "inlineStr"
        assert "".join(cells["B2"].itertext()) == pre_hire.feishu_id
        # Excel counts days from 1899-12-30.
        day = str((date(2026, 11, 23) - date(1899, 12, 30)).days)
        assert day in ["".join(c.itertext()) for c in cells.values() if c.get("t") is None]

    def test_phone_and_email_are_masked(self, as_user, mei):
        a_talent("柏小林", phone="+8613812341234", email="lin.wei@example.com")
        (_, line) = lines_of(download(as_user(mei), "talents"))
        assert "138****1234" in line
        assert "l***@example.com" in line
        assert "lin.wei" not in "".join(line)

    def test_headings_follow_the_language(self, mei):
        client = Client()
        client.force_login(mei)
        (header,) = lines_of(download(client, "pre-hires"))
        assert header[:2] == ["姓名", "飞书编号"]
        assert header[-1] == "状态"

    @pytest.mark.parametrize(
        "name",
        [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "＝1",
            "＋1",
            "－1",
            "＠a",
            "\u3000=1",
        ],
    )
    def test_a_name_that_looks_like_a_formula_is_none(self, as_user, mei, name):
        an_employee(name)
        (_, line) = lines_of(download(as_user(mei), "employees"))
        assert line[0].startswith("'")
        assert harmless(name) == f"'{name}"

    @pytest.mark.parametrize("name", ["柏小林", "Anna-Maria", "O'Neil", "a=b", "1.5", ""])
    def test_other_texts_stay_as_they_are(self, name):
        assert harmless(name) == name

    def test_a_list_that_is_too_long_is_cut_and_says_so(self, as_user, mei, settings):
        settings.EXPORT_ROW_CAP = 3
        today = timezone.localdate()
        for i in range(5):
            an_employee(f"员工{i}", due_on=today + timedelta(days=i))
        client = as_user(mei)
        page = client.get(address_of("employees"))
        assert "the first 3 rows" in page.text
        answer = client.post(address_of("employees"), {"format": "csv", "purpose": PURPOSE})
        assert "first-3" in answer["Content-Disposition"]
        lines = lines_of(b"".join(answer.streaming_content))
        assert [line[0] for line in lines[1:]] == ["员工0", "员工1", "员工2"]
        assert '"is_cut":true' in ActionEntry.objects.get(event="export.started").body

    def test_a_list_that_fits_is_whole(self, as_user, mei, settings):
        settings.EXPORT_ROW_CAP = 3
        for i in range(3):
            an_employee(f"员工{i}")
        client = as_user(mei)
        assert "the first" not in client.get(address_of("employees")).text
        assert len(lines_of(download(client, "employees"))) == 4


class TestLog:
    def test_says_that_it_begins_before_the_first_byte_leaves(self, as_user, mei):
        an_employee("柏小林")
        form = {"format": "csv", "purpose": PURPOSE}
        answer = as_user(mei).post(address_of("employees", "q=柏"), form)
        (started,) = ActionEntry.objects.filter(event__startswith="export.")
        assert started.event == "export.started"
        assert started.actor_id == mei.pk
        private = action_log.private_values(started)
        assert private["purpose"] == PURPOSE
        assert "q=" in private["filters"]
        assert PURPOSE not in started.body
        assert b"".join(answer.streaming_content)
        assert ActionEntry.objects.filter(event="export.finished").exists()

    @pytest.mark.parametrize("file_format", ["csv", "xlsx"])
    def test_says_how_it_ended_with_the_hash_of_the_file(self, as_user, mei, file_format):
        an_employee("柏小林")
        content = download(as_user(mei), "employees", file_format=file_format)
        finished = ActionEntry.objects.get(event="export.finished")
        assert hashlib.sha256(content).hexdigest() in finished.body
        assert '"rows":1' in finished.body
        assert "exported employees" in action_log.sentence(finished).en

    def test_is_read_by_the_auditor(self, as_user, mei, ana):
        download(as_user(mei), "employees")
        page = as_user(ana).get(reverse("log"))
        assert "began to export employees" in page.text
        started = ActionEntry.objects.get(event="export.started")
        detail = as_user(ana).get(reverse("log-entry", args=[started.seq]))
        assert PURPOSE in detail.text


class TestRefusals:
    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"format": "csv"},
            {"format": "csv", "purpose": "  "},
            {"format": "csv", "purpose": "x" * 201},
            {"format": "pdf", "purpose": PURPOSE},
            {"format": "csv", "purpose": "\x00\x00"},
        ],
    )
    def test_without_a_purpose_or_a_known_format_there_is_no_file(self, as_user, mei, form):
        answer = as_user(mei).post(address_of("employees"), form)
        assert answer.status_code == 422
        assert not ActionEntry.objects.filter(event__startswith="export.").exists()

    def test_a_form_from_elsewhere_is_refused(self, mei):
        client = Client(enforce_csrf_checks=True)
        client.force_login(mei)
        answer = client.post(address_of("employees"), {"format": "csv", "purpose": PURPOSE})
        assert answer.status_code == 403

    def test_other_methods_are_refused(self, as_user, mei):
        assert as_user(mei).put(address_of("employees")).status_code == 405
