"""Every main page in both languages, both appearances and two widths: nothing sticks out,
nobody is shut out (axe), and a picture of each is left in var/shots/."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import BASE_DIR, NARROW, WIDE, choose
from tests.browser.steps import (
    LIVE,
    anyone_to_convert,
    ask_on_page,
    confirm_on_page,
    expect_status,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOTS = BASE_DIR / "var" / "shots"
SERIOUS = {"serious", "critical"}
WIDTHS = {"wide": WIDE, "narrow": NARROW}
STICKING_OUT = """() => {
  const room = document.documentElement.clientWidth;
  const culprits = [...document.querySelectorAll("body *")].filter((one) => {
    if (one.getBoundingClientRect().right <= room + 1) return false;
    for (let at = one; at; at = at.parentElement) {
      if (at !== document.body && getComputedStyle(at).overflowX !== "visible") return false;
    }
    return true;
  });
  return document.documentElement.scrollWidth > room
    ? culprits.slice(0, 5).map((one) => one.outerHTML.slice(0, 120)).concat(`> ${room} px`)
    : [];
}"""


@dataclass
class Looking:
    """Takes a picture of each page and gathers what is wrong with it."""

    page: Page
    language: str
    appearance: str
    width: str

    def __post_init__(self) -> None:
        self.wrong: list[str] = []

    def at(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        picture = SHOTS / f"{name}-{self.language}-{self.appearance}-{self.width}.png"
        self.page.screenshot(path=picture, full_page=True, animations="disabled")
        sticks_out = self.page.evaluate(STICKING_OUT)
        if sticks_out:
            self.wrong.append(f"{name}: sticks out {sticks_out}")
        found = Axe().run(self.page).response["violations"]
        self.wrong += [
            f"{name}: {one['id']} {node['target']} {node.get('failureSummary', '')}"
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"][:3]
        ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("appearance", ["light", "dark"])
@pytest.mark.parametrize("width", ["wide", "narrow"])
class TestEveryPage:
    def test_has_room_and_shuts_nobody_out(self, visit, tenant, language, appearance, width):
        locale = "zh-CN" if language == "zh-hans" else "en-GB"
        page = visit(viewport=WIDTHS[width], color_scheme=appearance, locale=locale)
        looking = Looking(page, language, appearance, width)
        page.goto("/sign-in/")
        expect(page.locator("html")).to_have_attribute("lang", language)
        looking.at("sign-in")
        page.locator("a.feishu").click()
        expect(page.locator("li a").first).to_be_visible()
        looking.at("sandbox-sign-in")
        page.locator("a[href*='refuse=']").click()
        expect(page.locator("main h1")).to_be_visible()
        looking.at("sign-in-refused")
        page.goto("/sign-in/")
        page.locator("input[name=username]").fill("hr")
        page.locator("input[name=password]").fill("demo")
        page.locator("main form button[type=submit]").first.click()
        expect(page.locator(".user-button")).to_be_visible()
        if appearance == "dark":
            choose(page, "theme", "dark")
        someone = anyone_to_convert(page)
        looking.at("list")
        page.goto(someone.address.removesuffix("convert/"))
        looking.at("person")
        for name in ("talents", "applications", "pre-hires", "offboardings"):
            page.goto(f"/{name}/")
            expect(page.locator("h1")).to_be_visible()
            looking.at(name)
        page.locator(f"#{name}-table a[href*='/export/']").click()
        expect(page.locator("dialog#panel form")).to_be_visible()
        looking.at("export")
        page.goto(someone.address)
        looking.at("form")
        tenant.fault("drop_after", endpoint="A2")
        ask_on_page(page, someone)
        looking.at("plan")
        confirm_on_page(page)
        expect_status(page, "verifying")
        looking.at("change-checking")
        expect_status(page, "succeeded")
        expect(page.locator(f"{LIVE} .next")).to_have_count(0)
        looking.at("change-done")
        for name in ("changes", "log", "sync", "help/errors", "account", "account/second-step"):
            page.goto(f"/{name}/")
            expect(page.locator("h1")).to_be_visible()
            looking.at(name.replace("/", "-"))
        page.goto("/employees/")
        page.locator("#employees-table td.actions a[href$='/convert/']").first.click()
        expect(page.locator("dialog#panel form")).to_be_visible()
        looking.at("panel")
        assert looking.wrong == []


# What each role sees beside the pages above.
PAGES = {
    "hr": ("probation", "feed", "drift", "guards", "health", "log"),
    "manager": ("inbox", "employees", "log"),
    "auditor": (
        "log", "log/verify", "log/exceptions", "log/samples", "log/evidence", "log/holds",
        "log/accounts", "health", "drift", "probation",
    ),
    "admin": ("users", "users/new", "approval-steps", "sync", "guards", "health", "log"),
}  # fmt: skip


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize(
    ("width", "appearance", "locale"),
    [("wide", "light", "en-GB"), ("wide", "dark", "zh-CN"), ("narrow", "dark", "en-GB"),
     ("narrow", "light", "zh-CN")],
)  # fmt: skip
def test_pages_of_every_role_have_room_and_shut_nobody_out(visit, role, width, appearance, locale):
    page = visit(role, viewport=WIDTHS[width], color_scheme=appearance, locale=locale)
    looking = Looking(page, locale, appearance, width)
    for name in PAGES[role]:
        answer = page.goto(f"/{name}/")
        assert answer is not None
        assert answer.status == 200, name
        expect(page.locator("h1")).to_be_visible()
        looking.at(f"{role}-{name.replace('/', '-')}")
    assert looking.wrong == []
