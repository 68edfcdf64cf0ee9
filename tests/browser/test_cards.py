"""HR asks in the portal, the leader decides on a card in Feishu, and the log names where."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NARROW
from tests.browser.test_inbox import ask_about_reports_of, name_of_account

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROUNDS = 60


def until_shown(page: Page, wanted: Locator) -> None:
    """The phone has no scripts: it is looked at again, as a person does."""
    for _ in range(ROUNDS):
        if wanted.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(wanted.first).to_be_visible()


class TestDecidingInFeishu:
    def test_from_the_question_to_the_log(self, visit, tenant):
        leader = name_of_account(visit("manager"))
        hr = visit("hr")
        ask_about_reports_of(hr, leader)

        phone = visit(viewport=NARROW)
        phone.goto(f"{tenant.base_url}/sandbox/phone")
        chat = phone.locator("nav a").filter(has_text=leader)
        until_shown(phone, chat)
        chat.first.click()
        # Whoever is overdue is converted today.
        due = phone.locator("article.red:has(button[data-name=approve])")
        until_shown(phone, due)
        card = due.first
        card_id = str(card.get_attribute("id"))
        name = card.locator("strong").first.inner_text()
        card.locator("button[data-name=approve]").click()
        asked = phone.locator(f"#{card_id}")
        expect(asked.locator(".ask")).to_contain_text(f"同意{name}转正？")
        asked.locator("button[name=name][value=approve]").click()
        done = phone.locator(f"#{card_id}")
        expect(done.locator(".toast")).to_have_text("已同意转正。")
        expect(done).to_contain_text(f"{leader} ")
        expect(done.locator("button")).to_have_count(0)
        until_shown(phone, done.filter(has_text="已在飞书生效"))

        converted = [e["subject"] for e in tenant.effects() if e["operation"] == "convert"]
        assert converted
        assert tenant.record("employees", converted[-1])["conversion_status"] == 2
        log = visit("auditor")
        log.goto(f"/log/?q={name}")
        expect(log.locator("main")).to_contain_text(f"{leader}（在飞书卡片上）同意{name}")

    def test_extending_needs_a_reason_there_too(self, visit, tenant):
        leader = name_of_account(visit("manager"))
        ask_about_reports_of(visit("hr"), leader)
        phone = visit()
        phone.goto(f"{tenant.base_url}/sandbox/phone")
        chat = phone.locator("nav a").filter(has_text=leader)
        until_shown(phone, chat)
        chat.first.click()
        open_cards = phone.locator("article:has(button[value=extend])")
        until_shown(phone, open_cards)
        card_id = str(open_cards.first.get_attribute("id"))
        card = phone.locator(f"#{card_id}")
        card.locator("input[name='form:reason']").fill("再观察一个月")
        card.locator("button[value=extend]").click()
        expect(card.locator(".toast")).to_have_text("已延长试用期。")
        expect(card).to_contain_text(re.compile(r"试用期延长至 \d{4}-\d\d-\d\d"))
