"""Each verb from the person's page to Feishu's own record, and what stands in its way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from lifecycle.sandbox.control import SandboxControl
from tests.browser.steps import LIVE, PLAN, confirm_on_page, expect_status, today
from tests.browser.test_update_pre_hire import check

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NO_EHR_SYNC = 1002908
BLOCKERS = ".ask .notice[data-tone=bad]"
REFUSED = f"{LIVE} .notice[data-tone=bad]"

Record = dict[str, Any]


@dataclass(frozen=True)
class Verb:
    """`card` and `becomes`: the record on the person's page, and what it says afterwards."""

    step: str
    path: str
    kind: str
    operation: str
    endpoint: str
    code: int
    outcome: str
    card: str
    becomes: str
    fits: Callable[[Record], bool]
    fill: dict[str, str] = field(default_factory=dict)
    # What somebody does in Feishu's console while the form is open; none: the form is left as is.
    meanwhile: dict[str, Any] = field(default_factory=dict)
    way_back: str = ""

    def __str__(self) -> str:
        return f"{self.path}-{self.step}"

    def address(self, pk: str) -> str:
        return f"/{self.path}/{pk}/{self.step}/"


def works(conversion_status: int) -> Callable[[Record], bool]:
    """Onboarded in Hire alone: with CoreHR's record Feishu wants it done there."""

    def fits(record: Record) -> bool:
        state = (record["onboard_status"], record["conversion_status"])
        return state == (1, conversion_status) and not record["external_employment_id"]

    return fits


def has_left(record: Record) -> bool:
    return record["onboard_status"] == 2 and not record["external_employment_id"]


def waits_for_the_first_day(record: Record) -> bool:
    return (record["stage_type"], record["active_status"], record["lock_status"]) == (6, 1, 1)


EMPLOYEE: dict[str, Any] = {
    "path": "employees", "kind": "employees", "endpoint": "A2", "code": NO_EHR_SYNC, "card": "员工",
}  # fmt: skip
TALENT: dict[str, Any] = {
    "path": "talents", "kind": "talents", "endpoint": "A1", "code": 1002002, "card": "人才",
}  # fmt: skip
VERBS = [
    Verb(
        **EMPLOYEE, step="convert", operation="convert", outcome="已转正", becomes="已转正",
        fits=works(1), fill={"converted_on": "today"}, meanwhile={"conversion_status": 2},
        way_back="undo-conversion",
    ),
    Verb(
        **EMPLOYEE, step="undo-conversion", operation="undo_convert", outcome="已恢复为待转正",
        becomes="试用期|逾期", fits=works(2), meanwhile={"conversion_status": 1},
        way_back="convert",
    ),
    Verb(
        **EMPLOYEE, step="offboard", operation="offboard", outcome="离职", becomes="已离职",
        fits=works(2), fill={"left_on": "today"}, meanwhile={"onboard_status": 2},
        way_back="undo-offboarding",
    ),
    Verb(
        **EMPLOYEE, step="undo-offboarding", operation="undo_offboard", outcome="已恢复为已入职",
        becomes="已转正|试用期|逾期", fits=has_left, meanwhile={"onboard_status": 1},
        way_back="offboard",
    ),
    Verb(
        **EMPLOYEE | {"card": "投递"}, step="restore-to-pre-hire", operation="restore_to_pre_hire",
        outcome="已恢复至待入职", becomes="待入职", fits=works(1), meanwhile={"onboard_status": 2},
        way_back="onboard",
    ),
    Verb(
        **TALENT, step="onboard", operation="onboard_talent", outcome="已标记为已入职",
        becomes="已入职", fits=lambda record: record["state"] == "none",
        fill={"onboarded_on": "today"}, meanwhile={"is_onboarded": True},
    ),
    Verb(
        **TALENT, step="mark-left", operation="offboard_talent", outcome="已标记为已离职",
        becomes="已离职", fits=lambda record: record["state"] == "onboarded",
        fill={"left_on": "today"}, meanwhile={"is_onboarded": False},
    ),
    Verb(
        path="applications", kind="applications", endpoint="A3", code=NO_EHR_SYNC, card="投递",
        step="onboard", operation="onboard", outcome="入职", becomes="已入职",
        fits=waits_for_the_first_day, fill={"onboarded_on": "today"}, meanwhile={"lock_status": 2},
        way_back="restore-to-pre-hire",
    ),
    Verb(
        path="offboardings", kind="offboardings", endpoint="A4", code=1160200, card="离职信息",
        step="edit", operation="edit_offboarding", outcome="的离职信息已更新",
        becomes="审批通过|已批准", fits=lambda record: record["status"] == "Approved",
        fill={"field_reason_explanation": "已与本人确认"}, meanwhile={"status": "Withdrawn"},
        way_back="edit",
    ),
    Verb(
        path="pre-hires", kind="pre_hires", endpoint="A5", code=1161019, card="待入职",
        step="update", operation="update_pre_hire", outcome="更新", becomes="2027-03-01",
        fits=lambda record: record["onboarding_status"] == "preboarding",
        fill={"hire_date": "2027-03-01"}, way_back="update",
    ),
]  # fmt: skip
TAKEN_BACK = [verb for verb in VERBS if verb.way_back]


@pytest.fixture(autouse=True)
def _as_it_was(tenant: SandboxControl) -> Iterator[None]:
    tenant.clear_faults()
    yield
    tenant.clear_faults()


def open_form(page: Page, tenant: SandboxControl, verb: Verb) -> tuple[str, str]:
    """From the list to the person to the form, for somebody no other test has; the record's id
    in Feishu and the address of the person's page."""
    for record in tenant.records(verb.kind):
        if not verb.fits(record) or record["id"] in _taken:
            continue
        _taken.add(record["id"])
        page.goto(f"/{verb.path}/?status=all&q={record['id']}")
        names = page.locator(f"#{verb.path}-table tbody tr[id] a.name")
        if names.count() != 1:
            continue
        names.click()
        expect(page.locator(".page-head h1")).to_be_visible()
        person = page.url
        link = page.locator(f"main a[href^='/{verb.path}/'][href$='/{verb.step}/']")
        if link.count() == 0:
            continue
        page.goto(str(link.first.get_attribute("href")))
        expect(page.locator(".ask form")).to_be_visible()
        return record["id"], person
    raise AssertionError(f"Nobody is left for {verb}.")


_taken: set[str] = set()


def fill(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        page.locator(f".ask [name={name}]").fill(today() if value == "today" else value)


def card(page: Page, title: str) -> Locator:
    heading = page.locator("h2", has_text=re.compile(rf"^\s*{title}\s"))
    return page.locator("section.card", has=heading).first


def sent(tenant: SandboxControl, verb: Verb) -> int:
    return sum(request["endpoint"] == verb.endpoint for request in tenant.requests(writes=True))


def done_here(tenant: SandboxControl, subject: str) -> list[str]:
    """What the portal has done to this person's records, in other tests too."""
    return [effect["operation"] for effect in tenant.effects(subject) if effect["source"] == "api"]


@pytest.mark.parametrize("verb", VERBS, ids=str)
class TestVerb:
    def test_is_done(self, visit, tenant, verb):
        page = visit("hr")
        subject, person = open_form(page, tenant, verb)
        before = done_here(tenant, subject)
        fill(page, verb.fill)
        check(page)
        expect(page.locator(f"{BLOCKERS}")).to_have_count(0)
        expect(page.locator(".compare tr[data-changed]").first).to_be_visible()
        confirm_on_page(page)
        expect_status(page, "succeeded")
        expect(page.locator(f"{LIVE} .story")).to_contain_text(verb.outcome)
        assert done_here(tenant, subject) == [*before, verb.operation]
        ways_back = page.locator(f"{LIVE} a[href*='?undo=']")
        expect(ways_back).to_have_count(1 if verb.way_back else 0)
        page.goto(person)
        expect(card(page, verb.card)).to_contain_text(re.compile(verb.becomes))

    def test_refused_by_rule_says_why_and_sends_nothing(self, visit, tenant, verb):
        page = visit("hr")
        subject, _person = open_form(page, tenant, verb)
        before, done = sent(tenant, verb), done_here(tenant, subject)
        if verb.meanwhile:
            fill(page, verb.fill)
            tenant.patch(verb.kind, subject, **verb.meanwhile)
        check(page)
        expect(page.locator(BLOCKERS).locator("li").first).to_have_text(re.compile("[一-鿿]{4}"))
        expect(page.locator(PLAN)).to_have_count(0)
        assert sent(tenant, verb) == before
        assert done_here(tenant, subject) == done

    def test_refused_by_feishu_says_why_and_what_to_do(self, visit, tenant, verb):
        page = visit("hr")
        subject, person = open_form(page, tenant, verb)
        done = done_here(tenant, subject)
        fill(page, verb.fill)
        check(page)
        tenant.fault("code", endpoint=verb.endpoint, code=verb.code, times=9)
        confirm_on_page(page)
        expect_status(page, "failed")
        notice = page.locator(REFUSED)
        expect(notice).to_contain_text(str(verb.code))
        for part in (".sentence", ".advice"):
            expect(notice.locator(part)).to_have_text(re.compile("[一-鿿]{4}"))
        assert done_here(tenant, subject) == done
        page.goto(person)
        expect(
            page.locator(f"main a[href^='/{verb.path}/'][href$='/{verb.step}/']").first
        ).to_be_visible()


@pytest.mark.parametrize("verb", TAKEN_BACK, ids=str)
class TestTakingBack:
    def test_is_a_change_of_its_own_that_names_the_first(self, visit, tenant, verb):
        page = visit("hr")
        open_form(page, tenant, verb)
        fill(page, verb.fill)
        check(page)
        confirm_on_page(page)
        expect_status(page, "succeeded")
        first = page.url
        number = first.rstrip("/").rpartition("/")[2]
        page.locator(f"{LIVE} a[href$='/{verb.way_back}/?undo={number}']").click()
        expect(page.locator(".ask")).to_contain_text(number)
        fill_what_is_needed(page)
        check(page)
        expect(page.locator(BLOCKERS)).to_have_count(0)
        confirm_on_page(page)
        expect_status(page, "succeeded")
        expect(page.locator(f"main a[href='/changes/{number}/']")).to_be_visible()
        second = page.url.rstrip("/").rpartition("/")[2]
        page.goto(first)
        expect(page.locator(f"{LIVE} a[href='/changes/{second}/']")).to_be_visible()
        expect(page.locator(f"{LIVE} a[href*='?undo=']")).to_have_count(0)


def fill_what_is_needed(page: Page) -> None:
    """Today, for every day that has to be given."""
    for name in ("converted_on", "left_on", "onboarded_on"):
        box = page.locator(f".ask input[name={name}]")
        if box.count():
            box.fill(today())
