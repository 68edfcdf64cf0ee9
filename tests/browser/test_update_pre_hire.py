"""Updating a pre-hire in the browser: the split counts along, and Feishu's record follows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import LIVE, PLAN, confirm_on_page, expect_status

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

DUPLICATE_CENTER = 1161019
PRE_HIRE_PATH = re.compile(r"/corehr/v1/pre_hires/(\S+?)\?")
TOTAL = "[data-split-total]"


def open_form(page: Page, *, number: int = 0) -> None:
    """The update of a pre-hire by its place in the list."""
    page.goto("/pre-hires/")
    link = page.locator("a[href*='/pre-hires/'][href$='/update/']").nth(number)
    page.goto(str(link.get_attribute("href")))
    expect(page.locator("input[name=hire_date]")).to_be_visible()


def check(page: Page) -> None:
    page.locator("main form button[data-look=primary]").click()


def subject_of(page: Page) -> str:
    found = PRE_HIRE_PATH.search(str(page.locator(".request-line").text_content()))
    assert found, "the plan does not name the request"
    return found[1]


def choose_center(page: Page, line: int, place: int) -> str:
    """Another cost center than the one chosen, by its place in the list; its id."""
    field = page.locator(f"select[name=split_center_{line}]")
    value = str(field.locator("option").nth(place).get_attribute("value"))
    field.select_option(value)
    return value


class TestUpdatePreHire:
    def test_splits_the_cost_between_two_centers(self, visit, tenant):
        page = visit("hr")
        open_form(page)
        expect(page.locator(".ask .notice")).to_contain_text("飞书不会校验")
        expect(page.locator(TOTAL)).to_have_text("共 100%。")
        page.locator("input[name=split_share_0]").fill("80")
        expect(page.locator(TOTAL)).to_have_text("共 80%，还差 20%。")
        choose_center(page, 0, 1)
        page.locator("[data-split-add]").click()
        expect(page.locator("input[name=split_share_1]")).to_be_visible()
        choose_center(page, 1, 2)
        page.locator("input[name=split_share_1]").fill("30")
        expect(page.locator(TOTAL)).to_have_text("共 110%，超出 10%。")
        check(page)
        expect(page.locator(".errorlist")).to_contain_text("超出 10%")
        page.locator("input[name=split_share_1]").fill("20")
        check(page)
        subject = subject_of(page)
        confirm_on_page(page)
        expect_status(page, "succeeded")
        rates = [share["rate"] for share in tenant.record("pre_hires", subject)["cost_center_rate"]]
        assert sorted(rates) == [20, 80]
        assert tenant.operations(subject).count("update_pre_hire") == 1

    def test_warns_before_it_does_what_feishus_flow_should_do(self, visit, tenant):
        page = visit("hr")
        open_form(page)
        page.locator("select[name=onboarding_status]").select_option("completed")
        check(page)
        expect(page.locator(".ask .notice[data-tone=attention]")).to_contain_text(
            "不等于在飞书中办理"
        )
        assert tenant.record("pre_hires", subject_of(page))["onboarding_status"] != "completed"

    def test_refused_by_rule_offers_nothing_to_confirm(self, visit, tenant):
        page = visit("hr")
        open_form(page)
        check(page)
        expect(page.locator(".ask .notice[data-tone=bad]")).to_contain_text("没有任何改动")
        expect(page.locator(PLAN)).to_have_count(0)

    def test_refused_by_feishu_says_why(self, visit, tenant):
        page = visit("hr")
        tenant.fault("code", endpoint="A5", code=DUPLICATE_CENTER)
        open_form(page)
        page.locator("input[name=worker_id]").fill("G-4711")
        check(page)
        subject = subject_of(page)
        confirm_on_page(page)
        expect_status(page, "failed")
        expect(page.locator(f"{LIVE} .notice[data-tone=bad]")).to_contain_text("重复的成本中心")
        assert tenant.record("pre_hires", subject)["worker_id"] != "G-4711"


class TestWithoutScript:
    def test_lines_are_added_by_the_server(self, visit):
        page = visit("hr", java_script_enabled=False)
        open_form(page, number=1)
        choose_center(page, 0, 1)
        page.locator("input[name=split_share_0]").fill("60")
        choose_center(page, 3, 2)
        page.locator("input[name=split_share_3]").fill("40")
        page.locator("[data-split-add]").click()
        expect(page.locator("input[name=split_share_6]")).to_be_visible()
        expect(page.locator(TOTAL)).to_have_text("共 100%。")
        check(page)
        expect(page.locator(PLAN)).to_be_visible()
