"""Converting an employee in the browser, from the list to Feishu's own record."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.browser.conftest import choose, sign_in
from tests.browser.steps import (
    LIVE,
    PLAN,
    anyone_to_convert,
    ask_in_panel,
    ask_on_page,
    confirm_on_page,
    expect_status,
    first_due,
    is_marked,
    mark,
    subject_of,
    today,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NO_EHR_SYNC = 1002908


class TestConversion:
    def test_is_done_beside_the_list_without_loading_it_again(self, visit, tenant):
        page = visit("hr")
        someone = first_due(page)
        row = page.locator(f"#{someone.row_id}")
        expect(row).to_contain_text("试用期")
        mark(page)
        panel = ask_in_panel(page, someone)
        expect(panel.locator(".who")).to_contain_text(someone.name)
        before_after = panel.locator(".compare tr[data-changed]").first
        expect(before_after.locator("td.was")).to_have_text("待转正")
        expect(before_after.locator("td.becomes")).to_have_text("已转正")
        panel.locator("details.disclosure summary").click()
        expect(panel.locator(".request-line")).to_be_visible()
        expect(panel.locator(".request-line")).to_contain_text("PATCH")
        expect(panel.locator("pre")).to_contain_text('"operation": 1')
        expect(panel.locator(".notice[data-tone=attention]")).to_be_visible()
        subject = subject_of(panel)
        assert tenant.record("employees", subject)["conversion_status"] == 1
        panel.locator(PLAN).click()
        expect(panel.locator(LIVE)).to_have_attribute("data-status", "succeeded")
        expect(row).to_contain_text("已转正")
        assert is_marked(page)
        assert tenant.record("employees", subject)["conversion_status"] == 2
        assert tenant.operations(subject) == ["convert"]

    def test_is_followed_on_its_page_in_place(self, visit, tenant):
        page = visit("hr")
        tenant.fault("drip", endpoint="A2", delay_s=1.5)
        subject = ask_on_page(page, anyone_to_convert(page))
        confirm_on_page(page)
        mark(page)
        expect_status(page, "succeeded")
        assert is_marked(page)
        expect(page.locator("[id$=-attempts] tbody tr")).to_have_count(1)
        assert tenant.operations(subject) == ["convert"]

    def test_refused_by_feishu_says_why_and_what_to_do_in_both_languages(self, visit, tenant):
        page = visit("hr")
        tenant.fault("code", endpoint="A2", code=NO_EHR_SYNC, http_status=400)
        subject = ask_on_page(page, anyone_to_convert(page))
        confirm_on_page(page)
        expect_status(page, "failed")
        notice = page.locator(f"{LIVE} .notice[data-tone=bad]")
        expect(notice).to_contain_text(str(NO_EHR_SYNC))
        sentence, advice = notice.locator(".sentence"), notice.locator(".advice")
        expect(sentence).to_have_text(re.compile("[一-鿿]{4}"))
        expect(advice).to_have_text(re.compile("[一-鿿]{4}"))
        choose(page, "language", "en")
        expect(sentence).to_have_text(re.compile("^[^一-鿿]*[a-z]{4}[^一-鿿]*$"))
        # It names the menu as Feishu's own console does, in Chinese, after the English.
        expect(advice).to_have_text(re.compile("^[A-Z][a-z]+ [a-z]+ "))
        assert tenant.operations(subject) == []

    def test_in_silence_says_that_it_is_checking_and_until_when(self, visit, tenant):
        page = visit("hr")
        tenant.fault("drop_after", endpoint="A2")
        subject = ask_on_page(page, anyone_to_convert(page))
        before = len(sent_for(tenant, subject))
        confirm_on_page(page)
        mark(page)
        expect_status(page, "verifying")
        expect(page.locator(f"{LIVE} .next time")).to_have_attribute(
            "datetime", re.compile(r"^\d{4}-\d\d-\d\dT")
        )
        expect(page.locator(f"{LIVE} .next")).to_contain_text(re.compile(r"\d\d:\d\d"))
        expect(page.locator(f"{LIVE} form")).to_have_count(0)
        expect_status(page, "succeeded")
        assert is_marked(page)
        assert tenant.operations(subject) == ["convert"]
        assert len(sent_for(tenant, subject)) == before + 1


class TestSecondClick:
    def test_on_confirm_is_the_same_change(self, visit, tenant):
        page = visit("hr")
        subject = ask_on_page(page, anyone_to_convert(page))
        page.locator(PLAN).dblclick()
        expect(page).to_have_url(re.compile(r"/changes/\d+/$"))
        expect_status(page, "succeeded")
        assert changes_of(page, page.locator("h1").inner_text()) == 1
        assert tenant.operations(subject) == ["convert"]

    def test_in_the_panel_is_the_same_change(self, visit, tenant):
        page = visit("hr")
        panel = ask_in_panel(page, anyone_to_convert(page))
        subject = subject_of(panel)
        posts = []
        page.on("request", lambda sent: posts.append(sent.url) if sent.method == "POST" else None)
        panel.locator(PLAN).dblclick()
        expect(panel.locator(LIVE)).to_have_attribute("data-status", "succeeded")
        assert tenant.operations(subject) == ["convert"]
        assert len(posts) == 1

    def test_of_a_form_that_was_kept_is_the_same_change(self, visit, tenant):
        """A browser that posts the very same form once more, as going back can make it do."""
        page = visit("hr")
        subject = ask_on_page(page, anyone_to_convert(page))
        action = page.url
        form = page.locator(f"main form:has({PLAN})").evaluate(
            "form => Object.fromEntries(new FormData(form))"
        )
        confirm_on_page(page)
        wait_until_done(page)
        again = page.request.post(action, form=form | {"step": "confirm"}, max_redirects=0)
        assert again.status == 303
        assert page.url.endswith(again.headers["location"])
        assert tenant.operations(subject) == ["convert"]

    @pytest.mark.parametrize("script", [True, False])
    def test_after_going_back_does_nothing_more(self, visit, tenant, script):
        """The plan is never kept by the browser; asking again finds the person converted."""
        page = visit("hr", java_script_enabled=script)
        subject = ask_on_page(page, anyone_to_convert(page))
        action = page.url
        confirm_on_page(page)
        wait_until_done(page)
        with contextlib.suppress(PlaywrightError):
            page.go_back()
        page = page.context.new_page()
        page.goto(action)
        page.locator("input[name=converted_on]").fill(today())
        page.locator("main form button[type=submit]").last.click()
        expect(page.locator(".ask .notice[data-tone=bad]")).to_be_visible()
        expect(page.locator(PLAN)).to_have_count(0)
        assert tenant.operations(subject) == ["convert"]


class TestWithoutScript:
    def test_is_done_all_the_same(self, visit, tenant):
        page = visit("hr", java_script_enabled=False)
        someone = anyone_to_convert(page)
        page.locator(f"#{someone.row_id} td.actions a[href$='/convert/']").click()
        page.locator("input[name=converted_on]").fill(today())
        page.locator("main form button[type=submit]").last.click()
        expect(page.locator(PLAN)).to_be_visible()
        subject = subject_of(page)
        confirm_on_page(page)
        wait_until_done(page)
        assert tenant.record("employees", subject)["conversion_status"] == 2
        assert tenant.operations(subject) == ["convert"]
        page.goto(someone.address.removesuffix("convert/"))
        expect(page.locator(".page-head")).to_contain_text("已转正")


class TestSigningOut:
    def test_ends_what_can_be_seen(self, visit):
        page = visit("hr")
        page.locator(".user-button").click()
        page.locator("#user-menu form[action='/sign-out/'] button").click()
        expect(page).to_have_url(re.compile("/sign-in/"))
        page.goto("/employees/")
        expect(page).to_have_url(re.compile("/sign-in/"))
        sign_in(page, "auditor")


def sent_for(tenant, subject: str) -> list[str]:
    paths = [request["path"] for request in tenant.requests(writes=True)]
    return [path for path in paths if path.endswith(subject)]


def wait_until_done(page) -> None:
    """As a person without script does: load the page again until it says so."""
    expect(page.locator(LIVE)).to_be_visible()
    for _ in range(40):
        if page.locator(LIVE).get_attribute("data-status") == "succeeded":
            return
        page.wait_for_timeout(250)
        page.reload()
    expect_status(page, "succeeded")


def changes_of(page, title: str) -> int:
    page.goto("/changes/")
    return (
        page.locator("#changes-table tbody tr").filter(has_text=title.split("·")[1].strip()).count()
    )
