"""The tabs above the lists."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Tab:
    """`query`: what its address carries; `count`: None where counting would cost too much."""

    name: str
    label: str
    query: str
    count: int | None = None


EMPLOYEE_TAB_LABELS: dict[str, str | Promise] = {
    "probation": _("On probation"),
    "overdue": _("Overdue"),
    "due7": _("Due in 7 days"),
    "due30": _("Due in 30 days"),
    "converted": _("Converted"),
    "left": _("Left"),
    "all": _("All"),
}
CHANGE_TAB_LABELS: dict[str, str | Promise] = {
    "all": _("All"),
    "open": _("Under way"),
    "attention": _("Needs a decision"),
    "succeeded": _("Done"),
    "failed": _("Not done"),
    "cancelled": _("Cancelled"),
}
