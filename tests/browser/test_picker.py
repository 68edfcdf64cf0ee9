"""The field that is filled in by name: by keyboard, by touch, in the side panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from lifecycle.models import User
from tests.browser.conftest import NARROW, PATIENCE_MS, WIDE
from tests.pickers.conftest import store_contacts, store_departments

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.urls("tests.pickers.page")]

Open = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def _database_beside_playwright() -> Iterator[None]:
    """Playwright's event loop runs in this thread, which Django takes for asynchronous code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def server(lifted_log, settings) -> Iterator[LiveServer]:
    """The portal and the page of tests/pickers/page.py over plain HTTP, in this process."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = False
    settings.CSRF_COOKIE_SECURE = False
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "session", "csrf"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture
def open_page(browser: Browser, server: LiveServer) -> Iterator[Open]:
    """`open_page()` shows the page to Mei of HR."""
    store_departments(
        ("od-0", "星河科技", ""), ("od-1", "研发中心", "od-0"), ("od-2", "平台部", "od-1"),
        ("od-3", "数据平台组", "od-2"), ("od-4", "市场中心", "od-0"), ("od-5", "平台部", "od-4"),
    )  # fmt: skip
    store_contacts(("ou_01", "王伟", "od-2"), ("ou_02", "王伟", "od-4"), ("ou_03", "单丹", "od-1"))
    session = Client()
    session.force_login(User.objects.create_user("mei", password="x", role="hr"))
    cookie = session.cookies["session"]
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(**options) -> Page:
        context = browser.new_context(
            base_url=server.url, **{"viewport": WIDE, "locale": "zh-CN"} | options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type in ("error", "warning") and "status of 422" not in message.text
                else None
            ),
        )
        page.goto("/test-page/")
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def sent(page: Page) -> dict[str, str]:
    """What the form cleaned to."""
    page.locator("main [data-send]").click()
    expect(page.locator("#cleaned dd").first).to_be_visible()
    values = page.locator("#cleaned dd")
    return {
        str(values.nth(n).get_attribute("data-name")): values.nth(n).inner_text()
        for n in range(values.count())
    }


class TestByKeyboard:
    def test_finds_moves_and_chooses(self, open_page):
        page = open_page()
        department, leader = page.get_by_label("Department"), page.get_by_label("Leader")
        department.press_sequentially("pingtai")
        options = page.get_by_role("option")
        expect(options).to_have_count(3)
        expect(department).to_have_attribute("aria-expanded", "true")
        expect(department).to_have_attribute("aria-activedescendant", "id_department-list-1")
        expect(page.get_by_role("status").filter(has_text="3")).to_have_count(1)
        department.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("data-active", "")
        department.press("Enter")
        expect(department).to_have_value("市场中心 / 平台部")
        expect(department).to_have_attribute("aria-expanded", "false")
        expect(options).to_have_count(0)
        leader.press_sequentially("sd")
        expect(options).to_have_count(1)
        leader.press("Tab")
        expect(leader).to_have_value("单丹")
        expect(page.locator("[data-pick-hint]", has_text="研发中心 · N03")).to_be_visible()
        assert sent(page) == {"department": "od-5", "leader": "ou_03", "level": "", "family": ""}

    def test_escape_closes_the_list_and_keeps_the_text(self, open_page):
        page = open_page()
        department = page.get_by_label("Department")
        department.press_sequentially("平台")
        expect(page.get_by_role("option")).to_have_count(3)
        department.press("Escape")
        expect(page.get_by_role("option")).to_have_count(0)
        expect(department).to_have_value("平台")
        department.press("ArrowDown")
        expect(page.get_by_role("option")).to_have_count(3)

    def test_says_that_nothing_fits(self, open_page):
        page = open_page()
        page.get_by_label("Department").press_sequentially("赵钱孙")
        expect(page.get_by_text("没有匹配项").locator("visible=true").first).to_be_visible()

    def test_what_is_typed_over_a_choice_is_no_longer_the_choice(self, open_page):
        page = open_page()
        leader, department = page.get_by_label("Leader"), page.get_by_label("Department")
        leader.press_sequentially("单丹")
        expect(page.get_by_role("option")).to_have_count(1)
        leader.press("Enter")
        expect(leader).to_have_value("单丹")
        leader.fill("王伟")
        expect(page.get_by_role("option")).to_have_count(2)
        leader.press("Escape")
        department.fill("研发中心")
        department.press("Escape")
        page.locator("main [data-send]").click()
        expect(page.locator("main select option")).to_have_count(3)
        # The list takes the place of the choice offered to those without script.
        leader.press("ArrowDown")
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
        leader.press("ArrowDown")
        leader.press("Enter")
        assert sent(page)["leader"] == "ou_02"


class TestByTouch:
    def test_chooses_and_clears_on_a_phone(self, open_page):
        page = open_page(viewport=NARROW, has_touch=True, is_mobile=True)
        department = page.get_by_label("Department")
        department.tap()
        expect(page.get_by_role("option")).to_have_count(6)
        page.get_by_role("option").filter(has_text="市场中心").first.tap()
        expect(department).to_have_value("市场中心")
        page.locator("[data-pick-clear]").first.tap()
        expect(department).to_have_value("")
        department.fill("sjpt")
        page.get_by_role("option").filter(has_text="数据平台组").tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        assert sent(page)["department"] == "od-3"


class TestInThePanel:
    def test_works_and_leaves_the_panel_open(self, open_page):
        page = open_page()
        page.locator("#in-panel").click()
        panel = page.locator("dialog#panel")
        department = panel.get_by_label("Department")
        department.press_sequentially("shichang")
        expect(panel.get_by_role("option").first).to_be_visible()
        expect(department).to_be_focused()
        department.press("Escape")
        expect(panel).to_be_visible()
        department.press("ArrowDown")
        panel.get_by_role("option").first.click()
        expect(department).to_have_value("市场中心")
        expect(panel).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(scheme, open_page):
    page = open_page(color_scheme=scheme)
    page.get_by_label("Department").press_sequentially("平台")
    expect(page.get_by_role("option")).to_have_count(3)
    found = Axe().run(page, context=".pick").response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_works_without_script(open_page):
    page = open_page(java_script_enabled=False)
    page.get_by_label("Department").fill("平台部")
    page.locator("main [data-send]").click()
    page.locator("main select[name=department]").select_option("od-2")
    page.get_by_label("Leader").fill("shandan")
    values = sent(page)
    assert (values["department"], values["leader"]) == ("od-2", "ou_03")
