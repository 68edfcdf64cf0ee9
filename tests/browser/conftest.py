"""The whole portal as a user starts it, and Chromium in front of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lifecycle.sandbox.control import SandboxControl
from lifecycle.supervision import http_get
from tests.operations.waiting import free_port, until

BASE_DIR = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_MS = 15_000
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class RunningPortal:
    """`manage.py run_portal` on ports and in a folder of its own."""

    def __init__(self, var: Path, **settings: str) -> None:
        port, sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.tenant = SandboxControl(f"http://127.0.0.1:{sandbox_port}")
        self._output = var / "output.txt"
        environment = {
            "PATH": os.environ["PATH"],
            "HRPORTAL_VAR_DIR": str(var),
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            "PEOPLE": "200",
            "WEB_PROCESSES": "1",
            # Seconds instead of minutes, and still long enough for a person to see them.
            "SEND_DEADLINE_SECONDS": "2",
            "SETTLE_SECONDS_EMPLOYEE": "4",
            "SETTLE_READ_GAP_SECONDS": "1",
            "SWEEP_SECONDS": "0.5",
            # Leaders are asked by a test alone, however long the run takes.
            "AUTO_REQUEST_DAYS": "0",
            **settings,
        }
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "run_portal"],
                cwd=BASE_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_up(self) -> None:
        until(lambda: "Ctrl-C stops" in self.says or not self.is_running, within=100)
        assert self.is_running, self.says
        until(lambda: http_get(f"{self.url}/readyz")[0] == 200, within=60, what="readiness")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def says(self) -> str:
        return self._output.read_text()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)


@pytest.fixture(scope="session")
def portal(tmp_path_factory) -> Iterator[RunningPortal]:
    subprocess.run([sys.executable, "bin/compile_translations.py"], cwd=BASE_DIR, check=True)
    portal = RunningPortal(tmp_path_factory.mktemp("var"))
    try:
        portal.wait_until_up()
        yield portal
    finally:
        portal.stop()


@pytest.fixture
def tenant(portal: RunningPortal) -> Iterator[SandboxControl]:
    portal.tenant.clear_faults()
    yield portal.tenant
    portal.tenant.clear_faults()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, portal: RunningPortal) -> Iterator[Visit]:
    yield from visits(browser, portal)


def visits(browser: Browser, portal: RunningPortal) -> Iterator[Visit]:
    """`visit("hr")` signs in at a window of its own. Whatever a page complains about in the
    console (errors, refused scripts and styles) fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(username: str = "", **options) -> Page:
        options = {"viewport": WIDE, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"} | options
        context = browser.new_context(base_url=portal.url, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: _note(complaints, message))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        if username:
            sign_in(page, username)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], message) -> None:
    """A 422 is the form again with what is wrong in it, which Chromium logs as an error; so is
    the page that says why Feishu's sign-in ended in none."""
    page = message.page.url if message.page else ""
    expected = "status of 422" in message.text or "/sign-in/feishu/callback/" in page
    if message.type in ("error", "warning") and not expected:
        complaints.append(f"{message.page.url if message.page else ''}: {message.text}")


def sign_in(page: Page, username: str, password: str = "demo") -> None:  # noqa: S107
    """With the demo's password; the administrator, who needs a code beside it, with Feishu."""
    if username == "admin":
        sign_in_with_feishu(page, "周管理")
        return
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator(".user-button")).to_be_visible()


def sign_in_with_feishu(page: Page, name: str) -> None:
    """At the portal, then at the sandbox's page, where somebody of this name agrees."""
    page.goto("/sign-in/")
    page.locator("a.feishu").click()
    page.locator("input[type=search]").fill(name)
    page.locator("input[type=search]").press("Enter")
    page.locator("li a").first.click()
    expect(page.locator(".user-button")).to_be_visible()


def choose(page: Page, name: str, value: str) -> None:
    """A language or an appearance, from the menu of one's own account."""
    page.locator(".user-button").click()
    page.locator(f"#user-menu button[name={name}][value={value}]").click()
    attribute = "lang" if name == "language" else "data-theme"
    expect(page.locator("html")).to_have_attribute(attribute, value)
