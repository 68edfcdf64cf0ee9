"""Signing in as people do it: with Feishu, with a code beside the password, and out again."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, sign_in_with_feishu
from tests.browser.test_looks import Looking

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def type_password(page: Page, username: str) -> None:
    page.goto("/sign-in/")
    page.locator("input[name=username]").fill(username)
    page.locator("input[name=password]").fill("demo")
    page.locator("main form button[type=submit]").first.click()


class TestWithFeishu:
    def test_somebody_known_is_signed_in_and_the_log_says_how(self, visit):
        page = visit()
        sign_in_with_feishu(page, "陈审计")
        expect(page.locator("main h1")).to_be_visible()
        page.goto("/log/")
        expect(page.locator("#log-table")).to_contain_text("陈审计登录（飞书）")

    def test_somebody_unknown_reads_why_and_what_to_tell_the_administrator(self, visit, tenant):
        page = visit()
        page.goto("/sign-in/")
        page.locator("a.feishu").click()
        page.locator("li a").last.click()
        expect(page.locator("main")).to_contain_text("还没有关联到本系统的用户")
        expect(page.locator("dd code")).to_have_text(re.compile("^ou_"))
        assert page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == 403

    def test_whoever_refuses_is_not_signed_in(self, visit):
        page = visit()
        page.goto("/sign-in/")
        page.locator("a.feishu").click()
        page.locator("a[href*='refuse=']").click()
        expect(page.locator("main")).to_contain_text("没有同意登录")
        page.goto("/employees/")
        expect(page).to_have_url(re.compile("/sign-in/"))

    def test_works_without_javascript(self, visit):
        page = visit(java_script_enabled=False)
        sign_in_with_feishu(page, "王人事")


@pytest.mark.parametrize("appearance", ["light", "dark"])
class TestPages:
    """What test_looks.py, which signs in as HR, does not come by."""

    @pytest.mark.parametrize("width", ["wide", "narrow"])
    def test_have_room_and_shut_nobody_out(self, visit, appearance, width):
        size = {"viewport": NARROW} if width == "narrow" else {}
        page = visit("admin", color_scheme=appearance, **size)
        looking = Looking(page, "zh-hans", appearance, width)
        page.goto("/users/")
        looking.at("users")
        page.locator("a.name").first.click()
        expect(page.locator("#ways-title")).to_be_visible()
        looking.at("user")
        assert looking.wrong == []


class TestCodes:
    def test_an_administrator_sets_them_up_and_signs_in_with_them(self, visit):
        """The only test that signs the administrator in with the password: it ends with the
        second step that the portal then has."""
        page = visit()
        type_password(page, "admin")
        expect(page.locator(".qr svg")).to_be_visible()
        looking = Looking(page, "zh-hans", "light", "wide")
        looking.at("first-second-step")
        page.set_viewport_size(NARROW)
        looking.at("first-second-step-narrow")
        page.locator("summary").click()
        secret = page.locator("[data-secret]").inner_text().replace(" ", "")
        shown = page.locator("[data-demo-code]").inner_text()
        assert pyotp.TOTP(secret).verify(shown, valid_window=1)
        page.locator("input[name=code]").fill(shown)
        page.locator("form button[type=submit]").first.click()
        expect(page.locator(".recovery li")).to_have_count(10)
        looking.at("recovery-codes")
        recovery = page.locator(".recovery code").first.inner_text()
        page.locator("main a.button").click()
        expect(page.locator(".user-button")).to_be_visible()

        other = visit()
        type_password(other, "admin")
        other.locator("input[name=code]").fill("000000")
        other.locator("form button[type=submit]").first.click()
        expect(other.locator(".errorlist")).to_be_visible()
        Looking(other, "zh-hans", "light", "wide").at("second-step")
        other.locator("a[href$='?recovery']").click()
        other.locator("input[name=code]").fill(recovery)
        other.locator("form button[type=submit]").first.click()
        expect(other.locator(".user-button")).to_be_visible()
        assert looking.wrong == []


class TestSessions:
    def test_one_is_ended_from_elsewhere(self, visit):
        here, there = visit("auditor"), visit("auditor", user_agent="Chrome/156 (iPhone)")
        here.goto("/account/")
        row = here.locator("tr", has_text="iPhone").first
        expect(row).to_be_visible()
        row.locator("button").click()
        expect(here.locator("[role=status]", has_text="会话已结束")).to_be_visible()
        there.goto("/log/")
        expect(there).to_have_url(re.compile("/sign-in/"))
        here.goto("/log/")
        expect(here.locator("main h1")).to_be_visible()

    def test_all_are_ended_by_an_administrator(self, visit):
        auditor, admin = visit("auditor"), visit("admin")
        admin.goto("/users/")
        admin.locator("a.name", has_text="陈审计").click()
        admin.locator("button[data-confirm]").click()
        admin.locator("dialog#confirm [data-yes]").click()
        expect(admin.locator("[role=status]", has_text="退出登录")).to_be_visible()
        auditor.goto("/log/")
        expect(auditor).to_have_url(re.compile("/sign-in/"))
