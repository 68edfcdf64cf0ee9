"""What an auditor and a manager see, and what they do not."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import choose
from tests.browser.steps import (
    anyone_to_convert,
    ask_on_page,
    confirm_on_page,
    expect_status,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGES = (
    "/talents/", "/applications/", "/pre-hires/", "/employees/?status=due30", "/offboardings/",
    "/changes/", "/log/", "/help/errors/",
)  # fmt: skip


class TestAuditor:
    def test_reads_in_the_log_what_hr_did_with_feishus_log_id(self, visit, tenant):
        hr = visit("hr")
        subject = ask_on_page(hr, anyone_to_convert(hr))
        confirm_on_page(hr)
        expect_status(hr, "succeeded")
        (number,) = re.findall(r"/changes/(\d+)/", hr.url)
        (answer,) = [r for r in tenant.requests(writes=True) if r["path"].endswith(subject)]
        page = visit("auditor")
        page.goto(f"/log/?change={number}")
        rows = page.locator("#log-table tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.last).to_contain_text("预览")
        expect(rows.first).to_contain_text(answer["log_id"])
        rows.first.locator("a").first.click()
        expect(page.locator("main")).to_contain_text(answer["log_id"])
        expect(page.locator("main")).to_contain_text("change.succeeded")

    def test_finds_nothing_to_press_anywhere(self, visit):
        page = visit("auditor")
        for address in PAGES:
            page.goto(address)
            expect(page.locator("h1")).to_be_visible()
            expect(
                page.locator("a[href$='/convert/'], a[href$='/undo-conversion/']")
            ).to_have_count(0)
        page.goto("/employees/")
        row = page.locator("#employees-table tbody tr[id]").first
        number = str(row.get_attribute("id")).removeprefix("employee-")
        row.locator("a.name").click()
        expect(page.locator(".page-head h1")).to_be_visible()
        expect(page.locator("a[href$='/convert/']")).to_have_count(0)
        assert page.request.get(f"/employees/{number}/convert/").status == 403


class TestManager:
    def test_sees_own_reports_only(self, visit):
        hr, manager = visit("hr"), visit("manager")
        for page in (hr, manager):
            page.goto("/employees/?status=all")
        everybody = hr.locator("#employees-table tbody tr")
        own = manager.locator("#employees-table tbody tr")
        expect(own.first).to_be_visible()
        assert 0 < own.count() < everybody.count()
        known = {row.get_attribute("id") for row in own.all()}
        stranger = next(row for row in everybody.all() if row.get_attribute("id") not in known)
        number = str(stranger.get_attribute("id")).removeprefix("employee-")
        assert manager.request.get(f"/employees/{number}/").status == 404
        assert manager.request.get("/log/").status in (200, 403)


class TestLanguage:
    def test_is_kept(self, visit):
        page = visit("hr")
        page.goto("/employees/")
        choose(page, "language", "en")
        page.goto("/changes/")
        expect(page.locator("h1")).to_have_text("Status changes")
