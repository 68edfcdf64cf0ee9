"""HR asks, a manager decides on a phone, Feishu is written to, and the log names both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW
from tests.browser.steps import EMPLOYEE_PATH, today

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def name_of_account(page: Page) -> str:
    page.locator(".user-button").click()
    name = page.locator("#user-menu .menu-head .strong").inner_text()
    page.keyboard.press("Escape")
    return name


def ask_about_reports_of(page: Page, leader: str) -> None:
    """In the cockpit: all whose leader this is and who may be asked about."""
    page.goto("/probation/")
    rows = page.locator("#probation-table tbody tr").filter(has_text=leader)
    expect(rows.first).to_be_visible()
    boxes = [rows.nth(number).locator("input[name=ids]") for number in range(rows.count())]
    for box in (box for box in boxes if box.is_enabled()):
        box.check()
    page.locator("#probation-table form button").first.click()
    expect(page.locator("h1")).to_have_text("请上级决定")
    if page.locator(".name-list").count() == 0:
        return  # all of them have been asked about
    page.locator("#note").fill("表现稳定，同事评价好")
    page.locator("button[name=step][value=confirm]").click()
    expect(page).to_have_url(re.compile(r"/probation/$"))
    expect(page.locator("main .notice[role=status]")).to_contain_text("已发起")


class TestDecidingOnAPhone:
    def test_from_the_question_to_the_log(self, visit, tenant):
        manager = visit("manager", viewport=NARROW, has_touch=True)
        leader = name_of_account(manager)
        ask_about_reports_of(visit("hr"), leader)

        manager.goto("/")
        expect(manager).to_have_url(re.compile(r"/inbox/$"))
        card = manager.locator(".inbox-card").first
        name = card.locator("h2").inner_text()
        expect(card).to_contain_text("表现稳定")
        card.locator("[data-approve]").tap()
        panel = manager.locator("dialog#panel")
        panel.locator("input[name=day]").fill(today())
        panel.locator("button[type=submit]").tap()
        done = manager.locator("#inbox-done li").filter(has_text=name).first
        expect(done.locator(".status")).to_have_attribute("data-status", "succeeded")

        manager.goto(str(done.locator("a").get_attribute("href")))
        found = EMPLOYEE_PATH.search(str(manager.locator(".request-line").text_content()))
        assert found
        assert tenant.operations(found[1]) == ["convert"]
        assert tenant.record("employees", found[1])["conversion_status"] == 2

        log = visit("auditor")
        log.goto(f"/log/?q={name}")
        expect(log.locator("main")).to_contain_text(f"王人事请{leader}决定{name}是否转正")
        expect(log.locator("main")).to_contain_text(f"{leader}同意{name}")

    def test_several_at_once_by_keyboard(self, visit, tenant):
        page = visit("manager")
        ask_about_reports_of(visit("hr"), name_of_account(page))
        page.goto("/inbox/")
        cards = page.locator(".inbox-card")
        expect(cards.first).to_be_visible()
        before = cards.count()
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(cards.first.locator("input[name=ids]")).to_be_checked()
        page.keyboard.press("a")
        expect(page.locator("dialog#panel input[name=day]")).to_be_visible()
        page.keyboard.press("Escape")
        page.locator(".inbox-bar button").click()
        expect(page.locator(".name-list li")).to_have_count(1)
        page.locator("button[name=step][value=confirm]").click()
        expect(cards).to_have_count(before - 1)
