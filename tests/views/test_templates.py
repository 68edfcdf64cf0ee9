"""What no template may contain, and that every sentence is translated."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import lucide
import polib
import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CATALOGUE = ROOT / "lifecycle" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def ids(path: object) -> str:
    return str(path).removeprefix(f"{ROOT}/templates/")


@pytest.mark.parametrize("path", TEMPLATES, ids=ids)
class TestTemplate:
    def test_compiles(self, path):
        get_template(str(path.relative_to(ROOT / "templates")))

    def test_runs_nothing_inline(self, path):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
        assert not re.search(r"<script(?![^>]*\ssrc=)", text)
        assert "//cdn" not in text
        assert "|safe" not in text

    def test_names_its_own_targets(self, path):
        for tag in re.findall(r"<[a-z]+[^<]*?\shx-(?:get|post)=[^<]*?>", path.read_text()):
            assert "hx-target=" in tag or 'hx-swap="none"' in tag, tag
            assert "hx-swap=" in tag, tag

    def test_htmx_stands_beside_a_real_address(self, path):
        for tag in re.findall(r"<(?:a|form)\s[^<]*?hx-(?:get|post)=[^<]*?>", path.read_text()):
            assert re.search(r"\s(href|action)=", tag), tag

    def test_compares_no_status(self, path):
        assert not re.search(r"\.status\s*==|_status\s*==", path.read_text())

    def test_names_icons_that_exist(self, path):
        for name in re.findall(r'{% icon "([^"]+)"', path.read_text()):
            lucide._render_icon(name, 16)

    def test_a_form_that_writes_has_a_token(self, path):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL):
            assert "csrf_token" in form


def test_every_sentence_has_its_translation():
    catalogue = polib.pofile(str(CATALOGUE))
    assert not catalogue.fuzzy_entries()
    assert [
        entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()
    ] == []


def test_placeholders_survive_translation():
    for entry in polib.pofile(str(CATALOGUE)):
        chinese = entry.msgstr or entry.msgstr_plural[0]
        assert set(re.findall(r"%\(\w+\)[sd]|{\w+}", chinese)) == set(
            re.findall(r"%\(\w+\)[sd]|{\w+}", entry.msgid)
        ), entry.msgid


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext")
def test_no_sentence_is_missing_from_the_catalogue(tmp_path):
    known = {(e.msgctxt, e.msgid) for e in polib.pofile(str(CATALOGUE)) if not e.obsolete}
    for part in ("lifecycle", "templates", "hrportal"):
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("locale", "__pycache__")
        )
    (tmp_path / "locale").mkdir()
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "--locale",
        "zh_Hans",
        "--no-location",
    ]
    subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"}
    )
    found = polib.pofile(str(tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"))
    assert {(e.msgctxt, e.msgid) for e in found} == known
