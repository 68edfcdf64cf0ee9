"""Each verb in a browser against the Feishu that was written from the pages alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from lifecycle.changes.kinds import kind_named
from tests.browser.conftest import RunningPortal, Visit, visits
from tests.browser.steps import PLAN, confirm_on_page, expect_status
from tests.browser.test_update_pre_hire import check
from tests.browser.test_verbs import BLOCKERS, REFUSED, fill
from tests.browser.test_verbs import VERBS as STEPS
from tests.second_server.company import a_company
from tests.second_server.server import APP_ID, APP_SECRET, SecondServer
from tests.second_server.verbs import NEXT_MONTH, ROWS, Verb

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

FILL = {(step.path, step.step): step.fill for step in STEPS} | {
    ("offboardings", "edit"): {
        "field_offboarding_date": NEXT_MONTH.isoformat(),
        "field_note__c": "交接完成",
    }
}
OUTCOME = {(step.path, step.step): step.outcome for step in STEPS}


@pytest.fixture(scope="module")
def second() -> Iterator[SecondServer]:
    with SecondServer() as server:
        yield server


@pytest.fixture(scope="module")
def second_portal(second: SecondServer, tmp_path_factory) -> Iterator[RunningPortal]:
    portal = RunningPortal(
        tmp_path_factory.mktemp("second"),
        FEISHU_BASE_URL=second.url,
        FEISHU_APP_ID=APP_ID,
        FEISHU_APP_SECRET=APP_SECRET,
    )
    try:
        portal.wait_until_up()
        yield portal
    finally:
        portal.stop()


@pytest.fixture
def page(second: SecondServer, second_portal: RunningPortal, browser) -> Iterator[Page]:
    """Nothing may be asked that the pages do not know."""
    opened = visits(browser, second_portal)
    visit: Visit = next(opened)
    yield visit("hr")
    next(opened, None)
    assert second.findings == []


@pytest.fixture
def feishu(second: SecondServer) -> SecondServer:
    """The first day again: the same company, and what it was asked is forgotten."""
    second.start_afresh(a_company())
    return second


def open_form(page: Page, verb: Verb, subject: str) -> tuple[str, str]:
    """The form of the verb for this record; where it stands in the two tables."""
    kind = kind_named(verb.kind)
    path = kind.subject.path
    page.goto(f"/{path}/?status=all&q={subject}")
    row = page.locator(f"#{path}-table tbody tr[id]")
    expect(row).to_have_count(1)
    pk = str(row.get_attribute("id")).rpartition("-")[2]
    page.goto(f"/{path}/{pk}/{kind.step}/")
    expect(page.locator(".ask form")).to_be_visible()
    return path, kind.step


@pytest.mark.parametrize("verb", ROWS, ids=str)
def test_refused_by_rule_then_by_feishu_then_done_once(feishu, page, verb):
    """One story, because the portal's mirror lasts longer than Feishu's first day."""
    forbidden = verb.forbidden(feishu.company)
    where = open_form(page, verb, forbidden.id)
    enter(page, feishu, where, rates=("60", "30"))
    expect(page.locator(f"{BLOCKERS}, .ask .errorlist").first).to_contain_text(
        re.compile("[一-鿿]{2}")
    )
    expect(page.locator(PLAN)).to_have_count(0)
    assert feishu.writes == []

    theirs = verb.fits(feishu.company)
    open_form(page, verb, theirs.id)
    enter(page, feishu, where)
    assert page.locator(BLOCKERS).all_inner_texts() == []
    verb.prevent(feishu.company, theirs)
    confirm_on_page(page)
    expect_status(page, "failed")
    expect(page.locator(REFUSED)).to_contain_text(str(verb.code))
    expect(page.locator(f"{REFUSED} .sentence")).to_have_text(re.compile("[一-鿿]{4}"))
    assert feishu.effects == []

    feishu.start_afresh(a_company())
    open_form(page, verb, theirs.id)
    enter(page, feishu, where)
    assert page.locator(BLOCKERS).all_inner_texts() == []
    confirm_on_page(page)
    expect_status(page, "succeeded")
    expect(page.locator(".live .story")).to_contain_text(OUTCOME[where])
    (effect,) = feishu.effects
    assert (effect.id, effect.done) == (theirs.id, verb.done)


def enter(
    page: Page,
    feishu: SecondServer,
    where: tuple[str, str],
    *,
    rates: tuple[str, str] = ("60", "40"),
) -> None:
    """What is wanted, and on to the plan."""
    fill(page, FILL[where])
    if where == ("pre-hires", "update"):
        split(page, feishu, rates=rates)
    check(page)


def split(page: Page, feishu: SecondServer, *, rates: tuple[str, str]) -> None:
    """Two cost centers with these shares."""
    for line, (center, rate) in enumerate(zip(feishu.company.cost_centers, rates, strict=True)):
        share = page.locator(f"input[name=split_share_{line}]")
        if not share.is_visible():
            page.locator("[data-split-add]").click()
        page.locator(f"select[name=split_center_{line}]").select_option(center)
        share.fill(rate)
