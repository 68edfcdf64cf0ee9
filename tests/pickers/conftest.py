"""A few departments, colleagues and lists, stored as a sync stores them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from lifecycle import organisation
from lifecycle.models import CatalogueEntry
from lifecycle.organisation import Entry


def names(zh: str, en: str = "") -> list[dict[str, str]]:
    return [{"lang": "zh-CN", "value": zh}, {"lang": "en-US", "value": en or zh}]


def store_departments(*rows: tuple[str, str, str], active: bool = True) -> None:
    """(id, name, parent)"""
    payloads = [
        {"id": i, "department_name": names(n), "parent_department_id": p, "active": active}
        for i, n, p in rows
    ]
    organisation.store_departments(payloads, asked_at=timezone.now())
    organisation.rebuild_department_paths()


def store_contacts(*rows: tuple[str, str, str], resigned: bool = False) -> None:
    """(open id, name, department)"""
    payloads = [
        {
            "open_id": open_id,
            "name": name,
            "department_ids": [department],
            "employee_no": f"N{open_id[-2:]}",
            "status": {"is_resigned": resigned},
        }
        for open_id, name, department in rows
    ]
    organisation.store_contacts(payloads, asked_at=timezone.now())


def store_catalogue(kind: str, *entries: tuple[str, str], **columns: Any) -> None:
    organisation.store_catalogue(
        kind, [Entry(i, names(n), {}, **columns) for i, n in entries], asked_at=timezone.now()
    )


@pytest.fixture(autouse=True)
def _a_browser_on_this_machine(settings) -> None:
    """Plain HTTP, and files as they lie in the checkout."""
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def company(db) -> None:
    store_departments(
        ("od-0", "星河科技", ""), ("od-1", "研发中心", "od-0"), ("od-2", "平台部", "od-1"),
        ("od-3", "数据平台组", "od-2"), ("od-4", "市场中心", "od-0"), ("od-5", "平台部", "od-4"),
    )  # fmt: skip
    store_departments(("od-9", "平台旧部", "od-1"), active=False)
    store_contacts(
        ("ou_01", "王伟", "od-2"), ("ou_02", "王伟", "od-4"), ("ou_03", "王伟强", "od-2"),
        ("ou_04", "单丹", "od-1"), ("ou_05", "Anna Smith", "od-1"), ("ou_06", "李王伟", "od-1"),
    )  # fmt: skip
    store_contacts(("ou_99", "王伟", "od-1"), resigned=True)
    kinds = CatalogueEntry.Kind
    store_catalogue(kinds.JOB_LEVEL, *((f"71{n}", f"P{n}") for n in range(1, 12)))
    store_catalogue(kinds.JOB_FAMILY, ("81", "研发序列"), ("82", "产品序列"))
