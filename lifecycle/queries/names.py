"""The names behind the ids: departments, colleagues, catalogues."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from lifecycle import policies
from lifecycle.models import CatalogueEntry, Contact, Department
from lifecycle.policies import Someone


def department_names(ids: set[str]) -> dict[str, str]:
    rows = Department.objects.filter(feishu_id__in=ids - {""})
    return {
        feishu_id: full_name or name
        for feishu_id, name, full_name in rows.values_list("feishu_id", "name", "full_name")
    }


def contact_names(ids: set[str]) -> dict[str, str]:
    return dict(Contact.objects.filter(feishu_id__in=ids - {""}).values_list("feishu_id", "name"))


def catalogue_names(ids: set[str], *kinds: str) -> dict[str, str]:
    entries = CatalogueEntry.objects.filter(kind__in=kinds, feishu_id__in=ids - {""})
    return dict(entries.values_list("feishu_id", "name"))


def departments_below(department_id: str) -> QuerySet[Department, str]:
    """The ids of this department and all below it."""
    below = Department.objects.filter(path__contains=f"/{department_id}/")
    return below.values_list("feishu_id", flat=True)


@dataclass(frozen=True, slots=True)
class DepartmentChoice:
    feishu_id: str
    name: str


def all_departments() -> list[tuple[str, str]]:
    """Ids and full names of all departments, for whoever sets how far a role reaches."""
    rows = Department.objects.filter(is_active=True).order_by("full_name", "pk")
    return [
        (feishu_id, full_name or name or feishu_id)
        for feishu_id, name, full_name in rows.values_list("feishu_id", "name", "full_name")
    ]


def department_choices(user: Someone) -> list[DepartmentChoice]:
    """The departments in reach by full name."""
    rows = policies.visible_departments(user).order_by("full_name", "pk")
    named = rows.values_list("feishu_id", "name", "full_name")[:500]
    return [
        DepartmentChoice(feishu_id, full_name or name or feishu_id)
        for feishu_id, name, full_name in named
    ]
