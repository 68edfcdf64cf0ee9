"""The steps a person takes, and what a test looks at on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

EMPLOYEE_PATH = re.compile(r"/open-apis/hire/v1/employees/(\S+?)\?")
PLAN = "button[name=step][value=confirm]"
LIVE = ".live"


@dataclass(frozen=True)
class Someone:
    """An employee in the list: their row there and their addresses."""

    name: str
    row_id: str
    address: str


def due_soon(page: Page) -> Locator:
    """Opens the list and keeps to those due within 30 days, by a click on the tab."""
    page.goto("/employees/")
    page.locator("nav.tabs a[href*=due30]").click()
    expect(page.locator("nav.tabs a[aria-current=true]")).to_have_attribute(
        "href", re.compile("due30")
    )
    expect(page).to_have_url(re.compile("status=due30"))
    return page.locator("#employees-table tbody tr[id]")


def first_due(page: Page) -> Someone:
    """The first who is due soon and can be converted."""
    rows = due_soon(page)
    expect(rows.first).to_be_visible()
    return _one_to_convert(page, [rows.nth(number) for number in range(rows.count())])


def anyone_to_convert(page: Page) -> Someone:
    """The last in the list, so that those who are due are left to whoever needs one."""
    page.goto("/employees/")
    rows = page.locator("#employees-table tbody tr[id]")
    expect(rows.first).to_be_visible()
    return _one_to_convert(page, [rows.nth(number) for number in reversed(range(rows.count()))])


def _one_to_convert(page: Page, rows: list[Locator]) -> Someone:
    """Without an open change, and in Hire only: a plan without blockers."""
    for row in rows:
        convert = row.locator("td.actions a[href$='/convert/']")
        if convert.count() == 0:
            continue
        someone = Someone(
            name=row.locator("a.name").inner_text(),
            row_id=str(row.get_attribute("id")),
            address=str(convert.get_attribute("href")),
        )
        if not is_in_core_hr(page, someone):
            return someone
    raise AssertionError("Nobody is left to convert.")


def is_in_core_hr(page: Page, someone: Someone) -> bool:
    """Then the person's page has the step, but not to be taken here."""
    answer = page.request.get(someone.address.removesuffix("convert/"))
    return f'href="{someone.address}"' not in answer.text()


def ask_in_panel(page: Page, someone: Someone) -> Locator:
    """From the list to the plan, in the panel beside it."""
    page.locator(f"#{someone.row_id} td.actions a[href$='/convert/']").click()
    panel = page.locator("dialog#panel")
    expect(panel).to_be_visible()
    panel.locator("input[name=converted_on]").fill(today())
    panel.locator("form button[type=submit]").click()
    expect(panel.locator(PLAN)).to_be_visible()
    return panel


def ask_on_page(page: Page, someone: Someone) -> str:
    """To the plan on a page of its own; the Feishu id the request names."""
    page.goto(someone.address)
    page.locator("input[name=converted_on]").fill(today())
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(PLAN)).to_be_visible()
    return subject_of(page)


def today() -> str:
    """In the tenant's zone: what is confirmed for today is sent at once."""
    return datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()


def confirm_on_page(page: Page) -> None:
    page.locator(PLAN).click()
    expect(page).to_have_url(re.compile(r"/changes/\d+/$"))
    expect(page.locator(LIVE)).to_be_visible()


def subject_of(where: Page | Locator) -> str:
    found = EMPLOYEE_PATH.search(str(where.locator(".request-line").text_content()))
    assert found, "the plan does not name the request"
    return found[1]


def expect_status(page: Page, status: str) -> None:
    expect(page.locator(LIVE)).to_have_attribute("data-status", status)


def mark(page: Page) -> None:
    """A page that is loaded again loses this."""
    page.evaluate("window.notLoadedAgain = true")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.notLoadedAgain === true"))
