"""Each deliberately broken protocol is caught, and the property test says which promise fell.

A mutant is an edit in a copy of the tree; the property test runs over the copy in a process of
its own until its first failure. The same run over the tree as it is has to pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.table import MUTANTS, Mutant

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
COPIED = ("lifecycle", "hrportal", "templates", "tests", "manage.py", "pyproject.toml")
EXAMPLES = os.environ.get("MUTANT_EXAMPLES", "150")
STEPS = os.environ.get("MUTANT_STEPS", "12")
FELL = re.compile(r"Broken: ([A-Z0-9, ]+) broken: (.*)")


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    output: str

    @property
    def fallen(self) -> set[str]:
        return {name for found in FELL.finditer(self.output) for name in found[1].split(", ")}

    @property
    def sentence(self) -> str:
        found = FELL.search(self.output)
        return found[0].removeprefix("Broken: ") if found else self.output[-2000:]


class Tree:
    """A copy of the portal, with a folder for its database."""

    def __init__(self, path: Path) -> None:
        self.path, self.var = path, path / "var"

    def copied_to(self, path: Path) -> Tree:
        """Files that are not edited are shared."""
        shutil.copytree(self.path, path, copy_function=os.link, ignore=_var)
        tree = Tree(path)
        tree.var.mkdir()
        return tree

    def edit(self, mutant: Mutant) -> None:
        for edit in mutant.edits:
            path = self.path / edit.path
            text = path.read_text()
            assert text.count(edit.old) == 1, f"{edit.path} does not hold once: {edit.old}"
            path.unlink()
            path.write_text(text.replace(edit.old, edit.new))

    def run(self, name: str) -> Result:
        environment = os.environ | {
            "HRPORTAL_LOCAL": "1",
            "HRPORTAL_VAR_DIR": str(self.var),
            "DATABASE_URL": f"sqlite:///{self.var}/mutant.sqlite3",
            "MUTANT_EXAMPLES": EXAMPLES,
            "MUTANT_STEPS": STEPS,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.mutants.inside", name],
            cwd=self.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=550,
            check=False,
        )
        return Result(done.returncode, done.stdout)


def _var(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "var"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The portal as it is, with a mirror that is filled."""
    path = tmp_path_factory.mktemp("mutants") / "whole"
    path.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, path / name)
        else:
            shutil.copy2(source, path / name)
    tree = Tree(path)
    tree.var.mkdir()
    prepared = tree.run("prepare")
    assert prepared.status == 0, prepared.output[-4000:]
    yield tree
    shutil.rmtree(path.parent)


def run_over(tree: Tree, whole: Tree, *, database: bool) -> Result:
    if database:
        prepared = tree.run("prepare")
        assert prepared.status == 0, prepared.output[-4000:]
    else:
        shutil.copytree(whole.var, tree.var, dirs_exist_ok=True)
    return tree.run("run")


class TestMutants:
    def test_the_portal_as_it_is_stands(self, whole, tmp_path):
        result = run_over(whole.copied_to(tmp_path / "tree"), whole, database=False)
        assert result.status == 0, result.output[-8000:]

    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
    def test_is_caught(self, mutant, whole, tmp_path):
        tree = whole.copied_to(tmp_path / "tree")
        tree.edit(mutant)
        result = run_over(tree, whole, database=mutant.is_of_schema)
        assert result.status != 0, f"“{mutant.name}” lives"
        print(f"{mutant.name}: {result.sentence}")  # noqa: T201
        assert result.fallen & mutant.fells, result.output[-4000:]
        shutil.rmtree(tmp_path / "tree")
