"""What a person sees while PostgreSQL is away, and that what they typed is still there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, sign_in
from tests.processes.on_postgres import Web, web_on_postgres

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SHOTS = os.environ.get("SHOTS_DIR")


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    with web_on_postgres(tmp_path_factory.mktemp("web")) as web:
        yield web


@pytest.fixture
def pages(browser: Browser, web: Web) -> Iterator:
    """Pages of Mei's; nothing but the 503 itself may be complained about in the console."""
    contexts, complaints = [], []

    def note(message) -> None:
        if message.type in ("error", "warning") and " 503" not in message.text:
            complaints.append(message.text)

    def open_page(**options) -> Page:
        context = browser.new_context(base_url=web.url, **({"viewport": WIDE} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        sign_in(page, "mei", "correct horse")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"database-away-{name}.png")


def record_to_convert(web: Web) -> str:
    record = web.portal.ask("plans", first=0, count=1)[0]["record"]
    return f"/employees/{record}/convert/"


def test_what_is_typed_in_the_side_panel_stays_and_goes_through_afterwards(pages, web):
    page = pages(locale="zh-CN")
    address = record_to_convert(web)
    page.goto("/employees/?q=&status=")
    # The row's own button, wherever the list puts it.
    page.evaluate(
        "address => htmx.ajax('GET', address, {target: '#panel-body', swap: 'innerHTML'})", address
    )
    panel = page.locator("#panel")
    reason = panel.locator("textarea[name=reason]")
    reason.fill("与直属上级确认过")
    with web.database_away():
        panel.locator("button[type=submit]").first.click()
        toast = page.locator(".toast")
        expect(toast).to_contain_text("暂时连不上自己的数据库")
        shoot(page, "panel")
        panel.locator("button[type=submit]").first.click()
        # The same thing is said once at a time.
        expect(toast).to_have_count(1)
        expect(reason).to_have_value("与直属上级确认过")
    panel.locator("button[type=submit]").first.click()
    confirm = panel.locator("button[name=step][value=confirm]")
    expect(confirm).to_be_visible()
    with web.database_away():
        with page.expect_response(lambda answer: answer.status == 503):
            confirm.click()
        expect(page.locator(".toast", has_text="不会重复")).to_be_visible()
        shoot(page, "panel-confirmed")
        expect(confirm).to_be_enabled()
    confirm.click()
    expect(panel.locator(".live")).to_be_visible()


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_page_reads_well(pages, web, size, colours, language):
    page = pages(viewport=size, color_scheme=colours, locale=language)
    with web.database_away():
        page.goto("/employees/")
        assert page.locator("main h1").count() == 1
        shoot(page, f"{language}-{colours}-{size['width']}")
        scrolls = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        violations = Axe().run(page).response["violations"]
    assert not scrolls
    assert violations == []


def test_a_form_without_script_is_sent_again_from_the_page_that_says_so(pages, web):
    page = pages(java_script_enabled=False, locale="en-GB")
    page.goto(record_to_convert(web))
    page.locator("textarea[name=reason]").fill("agreed with the leader")
    page.locator("form button[type=submit]").last.click()
    before = len(web.portal.ask("report")["changes"])
    with web.database_away():
        page.locator("button[name=step][value=confirm]").click()
        again = page.get_by_role("button", name="Send the same form again")
        expect(again).to_be_visible()
        shoot(page, "form")
        again.click()  # still away
        expect(again).to_be_visible()
    again.click()
    page.wait_for_url("**/changes/*/")
    assert len(web.portal.ask("report")["changes"]) == before + 1
