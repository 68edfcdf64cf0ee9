"""The tabs above the lists."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Tab:
    """`query`: what its address carries; `count`: None where counting would cost too much."""

    name: str
    label: str | Promise
    query: str
    count: int | None = None


CHANGE_TAB_LABELS: dict[str, str | Promise] = {
    "all": _("All"),
    "open": _("Under way"),
    "attention": _("Needs a decision"),
    "pending": _("Awaiting a second person"),
    "succeeded": _("Done"),
    "failed": _("Not done"),
    "cancelled": _("Cancelled"),
}
