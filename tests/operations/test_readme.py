"""The README tells about every setting and every check, and names no file that is not there."""

import re
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent.parent
SETTINGS = (BASE_DIR / "hrportal" / "settings.py").read_text(encoding="utf-8")
CHECKS = (BASE_DIR / "lifecycle" / "checks.py").read_text(encoding="utf-8")
README = (BASE_DIR / "README.md").read_text(encoding="utf-8")
OPERATIONS = (BASE_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
PAGES = [BASE_DIR / "README.md", *sorted((BASE_DIR / "docs").rglob("*.md"))]

NAMES = sorted(set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", SETTINGS)))


def test_settings_are_found():
    assert {"DJANGO_SECRET_KEY", "SWEEP_SECONDS", "LOG_LEVEL", "DATABASE_URL"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_has_its_row(name):
    assert re.search(rf"^\| `{name}` \|", README, re.MULTILINE), f"README.md lacks {name}"


def test_each_row_is_a_setting():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)
    assert sorted(rows) == NAMES


@pytest.mark.parametrize("number", sorted(set(re.findall(r"hrportal\.(E\d+)", CHECKS))))
def test_each_check_is_explained(number):
    assert number in OPERATIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:lifecycle|hrportal|tests|bin|docs)/[\w/.*-]+)`", text):
        found = list(BASE_DIR.glob(name)) if "*" in name else [BASE_DIR / name]
        assert found, f"{page.name} names {name}"
        assert all(path.exists() for path in found), f"{page.name} names {name}"
