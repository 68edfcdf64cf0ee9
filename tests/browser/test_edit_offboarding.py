"""Editing an offboarding in Chromium: done, refused by the form and the plan, refused by Feishu."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import LIVE, PLAN, confirm_on_page, expect_status

pytestmark = pytest.mark.browser

NOTE = "textarea[name=field_reason_explanation]"
CHECK = "main form button[data-look=primary]"


@pytest.fixture
def leaver(tenant) -> str:
    """The Feishu id of an approved offboarding of somebody still here."""
    return str(tenant.specials()["A4:1160604"]["subject"])


def open_form(page, leaver: str) -> None:
    """From the list, as a person finds somebody who is leaving."""
    page.goto(f"/offboardings/?status=all&q={leaver}")
    page.locator("#offboardings-table a.name").first.click()
    address = page.locator("main a[href*='/offboardings/'][href$='/edit/']").first
    page.goto(str(address.get_attribute("href")))
    expect(page.locator(NOTE)).to_be_visible()


class TestEditOffboarding:
    def test_counts_along_and_is_done(self, visit, tenant, leaver):
        page = visit("hr")
        open_form(page, leaver)
        page.locator(NOTE).fill("🙂已说明")
        expect(page.locator("[data-count=id_field_reason_explanation]")).to_contain_text("4 / 6000")
        page.locator(CHECK).click()
        expect(page.locator(".compare")).to_contain_text("🙂已说明")
        confirm_on_page(page)
        expect_status(page, "succeeded")
        assert tenant.record("offboardings", leaver)["info"]["reason_explanation"] == "🙂已说明"

    def test_is_refused_by_the_form_and_keeps_what_was_typed(self, visit, tenant, leaver):
        page = visit("hr", viewport={"width": 390, "height": 844})
        before = len(tenant.requests(writes=True))
        open_form(page, leaver)
        page.locator(NOTE).fill("长" * 6001)
        page.locator("input[name=field_custom_field_8__c]").fill("not a link")
        page.locator(CHECK).click()
        expect(page.locator(".field[data-invalid]")).to_have_count(2)
        expect(page.locator("[data-count=id_field_reason_explanation]")).to_have_attribute(
            "data-over", ""
        )
        assert len(tenant.requests(writes=True)) == before

    def test_is_blocked_when_nothing_was_changed(self, visit, leaver):
        page = visit("hr")
        open_form(page, leaver)
        page.locator(CHECK).click()
        expect(page.locator(".ask .notice[data-tone=bad]")).to_contain_text("没有任何改动")
        expect(page.locator(PLAN)).to_have_count(0)

    def test_is_refused_by_feishu_and_explained(self, visit, tenant, leaver):
        page = visit("hr")
        tenant.fault("code", endpoint="A4", code=1161001, http_status=400)
        open_form(page, leaver)
        page.locator(NOTE).fill("再补充一句")
        page.locator(CHECK).click()
        confirm_on_page(page)
        expect_status(page, "failed")
        expect(page.locator(LIVE)).to_contain_text(re.compile("变更正在审批中"))
