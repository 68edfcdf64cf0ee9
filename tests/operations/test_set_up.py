"""The environment of `make run`: made once, made again when it is not whole."""

import gettext
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(__file__).resolve().parent.parent.parent / "bin"
CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nLanguage: zh_Hans\\n"

msgid "Employees"
msgstr "{employees}"

#, fuzzy
msgid "Talents"
msgstr "猜的"
"""


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def copy_of(name: str, folder: Path) -> Path:
    (folder / "bin").mkdir()
    return Path(shutil.copy(BIN / name, folder / "bin" / name))


@pytest.mark.processes
class TestSetUp:
    @pytest.fixture
    def script(self, tmp_path) -> Path:
        (tmp_path / "requirements.txt").write_text("# nothing\n")
        (tmp_path / "requirements-dev.txt").write_text("# nothing more\n")
        return copy_of("set_up.py", tmp_path)

    def test_makes_it_once_and_again_when_it_must(self, script, tmp_path):
        left_behind = tmp_path / ".venv" / "left-behind"
        left_behind.parent.mkdir()
        left_behind.touch()
        first = run(script, "requirements.txt")
        assert (first.returncode, first.stderr) == (0, "")
        assert len(first.stdout.splitlines()) == 1
        assert not left_behind.exists(), "a half-made environment was trusted"

        left_behind.touch()
        assert run(script, "requirements.txt").stdout == ""
        assert run(script, "requirements-dev.txt").returncode == 0
        assert run(script, "requirements.txt").stdout == ""
        assert left_behind.exists(), "a whole environment was made again"

        (tmp_path / "requirements.txt").write_text("# something else\n")
        assert run(script, "requirements.txt").returncode == 0
        assert not left_behind.exists(), "the requirements changed and the environment did not"

    def test_says_when_a_package_cannot_be_had(self, script, tmp_path):
        (tmp_path / "requirements.txt").write_text("./no-such-package.whl --hash=sha256:00\n")
        done = run(script, "requirements.txt")
        assert done.returncode == 1
        assert done.stderr.endswith("could not be installed; the reason stands above.\n")
        assert "Installing" in run(script, "requirements.txt").stdout, "half-made, but trusted"


class TestCompileTranslations:
    @pytest.fixture
    def catalogue(self, tmp_path) -> Path:
        path = tmp_path / "lifecycle" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
        path.parent.mkdir(parents=True)
        path.write_text(CATALOGUE.format(employees="员工"), encoding="utf-8")
        return path

    @pytest.fixture
    def script(self, tmp_path) -> Path:
        return copy_of("compile_translations.py", tmp_path)

    def test_compiles_what_is_sure(self, script, catalogue):
        assert run(script).returncode == 0
        translated = self._translations(catalogue)
        assert translated.gettext("Employees") == "员工"
        assert translated.gettext("Talents") == "Talents"

    def test_compiles_again_only_what_is_newer(self, script, catalogue):
        run(script)
        compiled = catalogue.with_suffix(".mo")
        before = compiled.stat().st_mtime_ns
        run(script)
        assert compiled.stat().st_mtime_ns == before
        catalogue.write_text(CATALOGUE.format(employees="雇员"), encoding="utf-8")
        os.utime(catalogue, ns=(before + 10**9, before + 10**9))
        run(script)
        assert self._translations(catalogue).gettext("Employees") == "雇员"

    def _translations(self, catalogue: Path) -> gettext.GNUTranslations:
        with catalogue.with_suffix(".mo").open("rb") as compiled:
            return gettext.GNUTranslations(compiled)
