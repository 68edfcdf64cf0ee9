"""Imports point one way (docs/architecture.md, "The house"), read from the source itself."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("lifecycle", "hrportal")

# From the top down: a module imports from its own layer and those below. A name stands for
# a module or a whole package; the longest name that fits counts.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("hrportal", "lifecycle.urls", "lifecycle.management"),
    (
        "lifecycle.views", "lifecycle.jobs", "lifecycle.admin", "lifecycle.apps",
        "lifecycle.signals", "lifecycle.middleware", "lifecycle.context_processors",
        "lifecycle.templatetags", "lifecycle.checks", "lifecycle.supervision",
    ),
    ("lifecycle.services",),
    ("lifecycle.changes",),
    ("lifecycle.forms",),
    (
        "lifecycle.queries", "lifecycle.pickers", "lifecycle.mirror", "lifecycle.organisation",
        "lifecycle.remote", "lifecycle.action_log", "lifecycle.evidence", "lifecycle.paging",
        "lifecycle.differences", "lifecycle.watched", "lifecycle.unreadable",
    ),
    ("lifecycle.policies",),
    (
        "lifecycle.models", "lifecycle.migrations", "lifecycle.append_only",
        "lifecycle.person_index", "lifecycle.step_triggers", "lifecycle.transactions",
        "lifecycle.triggers", "lifecycle.floods",
    ),
    (
        "lifecycle.rules", "lifecycle.change_states", "lifecycle.errors", "lifecycle.feishu",
        "lifecycle.calendars", "lifecycle.pinyin", "lifecycle.masking",
    ),
)  # fmt: skip
LAYER_OF = {name: number for number, layer in enumerate(LAYERS) for name in layer}
NO_DJANGO = (
    "lifecycle.rules", "lifecycle.change_states", "lifecycle.errors", "lifecycle.feishu",
    "lifecycle.sandbox",
)  # fmt: skip
MAY_IMPORT_FEISHU = (
    "lifecycle.feishu", "lifecycle.remote", "lifecycle.mirror", "lifecycle.organisation",
)  # fmt: skip
MAY_IMPORT_SANDBOX = ("lifecycle.sandbox", "lifecycle.management.commands.sandbox")
# The supervisor asks the servers it started whether they are up.
MAY_TALK_HTTP = ("lifecycle.feishu", "lifecycle.sandbox", "lifecycle.supervision")
HTTP = ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp")


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


@cache
def imported_by(name: str) -> set[str]:
    """Dotted names of everything the module imports; of ours, the module itself."""
    found: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(name, node)
            found |= {
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base
                for alias in node.names
            }
    return found


def absolute(name: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = MODULES[name].name == "__init__.py"
    parts = name.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def layer_of(name: str) -> int | None:
    """The number of the layer, counted from the top."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        layer = LAYER_OF.get(".".join(parts[:length]))
        if layer is not None:
            return layer
    return None


def wrong_imports(
    *, of: tuple[str, ...] = OURS, but: tuple[str, ...] = (), among: tuple[str, ...]
) -> list[str]:
    """Modules of `of`, save for those of `but`, with each name of `among` they import."""
    return [
        f"{name} imports {imported}"
        for name in MODULES
        if within(name, of) and not within(name, but)
        for imported in sorted(imported_by(name))
        if within(imported, among)
    ]


class TestImports:
    @pytest.mark.parametrize("place", NO_DJANGO)
    def test_pure_modules_know_no_django(self, place):
        assert wrong_imports(of=(place,), among=("django", "django_q", "hrportal")) == []

    @pytest.mark.parametrize(
        ("place", "allowed"),
        [
            ("lifecycle.rules", ("lifecycle.rules",)),
            ("lifecycle.errors", ("lifecycle.errors", "lifecycle.rules")),
            ("lifecycle.feishu", ("lifecycle.feishu",)),
            ("lifecycle.sandbox", ("lifecycle.sandbox",)),
        ],
    )
    def test_pure_modules_know_little_of_ours(self, place, allowed):
        others = tuple(name for name in MODULES if name not in OURS and not within(name, allowed))
        assert wrong_imports(of=(place,), among=others) == []

    def test_feishu_is_behind_the_bridge_and_the_mirror(self):
        assert wrong_imports(but=MAY_IMPORT_FEISHU, among=("lifecycle.feishu",)) == []

    def test_sandbox_is_for_its_command_and_the_tests(self):
        assert wrong_imports(but=MAY_IMPORT_SANDBOX, among=("lifecycle.sandbox",)) == []

    def test_http_is_for_the_client_and_the_sandbox(self):
        assert wrong_imports(but=MAY_TALK_HTTP, among=HTTP) == []

    @pytest.mark.parametrize("name", [name for name in MODULES if layer_of(name) is not None])
    def test_point_downwards(self, name):
        upwards = [
            imported
            for imported in sorted(imported_by(name))
            if (layer_of(imported) if imported in MODULES else None) is not None
            and layer_of(imported) < layer_of(name)
        ]
        assert upwards == []

    def test_every_module_has_its_layer(self):
        outside = ("lifecycle.sandbox", "lifecycle")
        homeless = [
            name for name in MODULES if layer_of(name) is None and not within(name, outside[:1])
        ]
        assert [name for name in homeless if name != "lifecycle"] == []


class TestWriters:
    def test_status_of_a_change_is_written_in_the_protocol_alone(self):
        """`StatusChange...update(status=...)`, `.create(status=...)`, `change.status = ...`."""
        found = [
            f"{name}:{line}"
            for name in MODULES
            if name != "lifecycle.changes.protocol" and not within(name, ("lifecycle.sandbox",))
            for line in status_writes(tree(name))
        ]
        assert found == []
        assert status_writes(tree("lifecycle.changes.protocol"))

    def test_mirrored_rows_are_written_by_the_mirror_alone(self):
        mirrored = {"Talent", "Application", "Employee", "PreHire", "Employment", "Offboarding"}
        found = [
            f"{name}:{line}"
            for name in MODULES
            if name != "lifecycle.mirror"
            for line in writes_through(tree(name), mirrored)
        ]
        assert found == []

    def test_log_entries_are_written_by_the_log_alone(self):
        found = [
            f"{name}:{line}"
            for name in MODULES
            if name not in ("lifecycle.action_log.writer", "lifecycle.models.action_log")
            for line in writes_through(tree(name), {"ActionEntry", "ActionLogHead", "PrivateValue"})
        ]
        assert found == []


WRITING = {"update", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
           "delete"}  # fmt: skip


def status_writes(module: ast.Module) -> list[int]:
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assign):
            targets = [t for t in ast.walk(ast.Module(node.targets, [])) if is_status_of(t)]
            lines += [target.lineno for target in targets]
        elif isinstance(node, ast.Call) and writes_model(node, {"StatusChange"}):
            named = {keyword.arg for keyword in node.keywords}
            if "status" in named or None in named or called(node) != "update":
                lines.append(node.lineno)
    return lines


def is_status_of(node: ast.AST) -> bool:
    """`change.status` as the target of an assignment, in any module that names it so."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "status"
        and isinstance(node.value, ast.Name)
        and node.value.id == "change"
    )


def writes_through(module: ast.Module, models: set[str]) -> list[int]:
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if writes_model(call, models)]


def writes_model(call: ast.Call, models: set[str]) -> bool:
    """`Model.objects....update(...)` and its like, and `Model(...)`."""
    if isinstance(call.func, ast.Name):
        return call.func.id in models
    return called(call) in WRITING and bool(
        models & {node.id for node in ast.walk(call.func) if isinstance(node, ast.Name)}
    )


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


class TestTheseTests:
    """What the rules above are made of, so that none of them passes by seeing nothing."""

    def test_see_imports_of_every_form(self):
        assert "lifecycle.sandbox.cli" in imported_by("lifecycle.sandbox.testing")
        assert "lifecycle.remote" in imported_by("lifecycle.changes.protocol")
        assert "django.db" in imported_by("lifecycle.mirror")
        assert len(MODULES) > 100

    @pytest.mark.parametrize(
        "text",
        [
            "change.status = 'approved'",
            "StatusChange.objects.filter(pk=1).update(status='failed')",
            "StatusChange.objects.create()",
            "StatusChange.objects.filter(pk=1).update(**fields)",
            "StatusChange(status='failed').save()",
        ],
    )
    def test_see_a_status_being_written(self, text):
        assert status_writes(ast.parse(text))

    @pytest.mark.parametrize(
        "text",
        [
            "status = change.status",
            "StatusChange.objects.filter(status='failed').count()",
            "StatusChange.objects.filter(person_id=1).update(person_id=2)",
        ],
    )
    def test_see_that_it_is_only_read(self, text):
        assert not status_writes(ast.parse(text))
