"""What every template can use without loading it: icons, badges, days, both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import lucide
from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from lifecycle.change_states import ChangeStatus
from lifecycle.changes import kinds
from lifecycle.errors.words import Words
from lifecycle.models import StatusChange
from lifecycle.queries import MOST_COUNTED, Badge, DepartmentChoice

register = template.Library()

AVATAR_HUES = 6
SELECTED = mark_safe(" selected")

# The colour and the icon of each state; the words come from the model.
CHANGE_LOOKS: dict[str, tuple[str, str]] = {
    ChangeStatus.PENDING: ("waiting", "clock"),
    ChangeStatus.APPROVED: ("waiting", "clock"),
    ChangeStatus.IN_FLIGHT: ("moving", "send"),
    ChangeStatus.VERIFYING: ("moving", "file-search"),
    ChangeStatus.NEEDS_ATTENTION: ("attention", "circle-alert"),
    ChangeStatus.SUCCEEDED: ("good", "check"),
    ChangeStatus.FAILED: ("bad", "x"),
    ChangeStatus.REJECTED: ("bad", "x"),
    ChangeStatus.CANCELLED: ("quiet", "ban"),
    ChangeStatus.EXPIRED: ("quiet", "ban"),
}


@lru_cache(maxsize=512)
def _svg(name: str, size: int) -> SafeString:
    attributes: dict[str, Any] = {"class": "icon", "aria_hidden": "true", "focusable": "false"}
    # Our own file names only, never a user's text.
    return mark_safe(lucide._render_icon(name, size, **attributes))  # noqa: S308


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """A lucide icon; decoration only, so the words beside it must say the same."""
    return _svg(name, size)


@register.filter
def counted(number: int) -> str:
    """A number that was counted only so far: "999+" when there are more."""
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


@register.filter
def words(value: object) -> str:
    """The present language of Words, or of its JSON form."""
    chinese = (get_language() or "").startswith("zh")
    if isinstance(value, Words):
        return value.zh if chinese else value.en
    if isinstance(value, Mapping):
        return str(value.get("zh" if chinese else "en") or value.get("zh") or "")
    return "" if value is None else str(value)


@register.filter
def day(value: date | datetime | None) -> str:
    """A day in the tenant's time zone, as YYYY-MM-DD; a dash where there is none."""
    if value is None or value == "":
        return "—"
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return value.isoformat()


@register.filter
def moment(value: datetime | None) -> str:
    """A moment in the tenant's time zone, to the second."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}" if value else "—"


@register.filter
def minute(value: datetime | None) -> str:
    """A moment in the tenant's time zone, to the minute."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else "—"


@register.filter
def or_dash(value: object) -> object:
    return "—" if value in (None, "") else value


@register.filter
def seconds(milliseconds: int | None) -> str:
    return "—" if milliseconds is None else f"{milliseconds / 1000:.2f} s"


@register.filter
def kind_title(name: str) -> str:
    """The verb of a change in words."""
    return words(kinds.kind_named(name).title) if name in kinds.ALL else name


@register.simple_tag
def avatar(name: str, number: int, size: str = "") -> SafeString:
    """The first character of a name in a colour of its own; the name itself stands beside it."""
    return format_html(
        '<span class="avatar {}" data-hue="{}" aria-hidden="true">{}</span>',
        size,
        (number or 0) % AVATAR_HUES,
        (name or "?").strip()[:1].upper(),
    )


def _badge(tone: str, label: str, state: str) -> SafeString:
    return format_html(
        '<span class="status" data-tone="{}" data-status="{}">{}</span>', tone, state, label
    )


@register.simple_tag
def change_status(change: StatusChange) -> SafeString:
    tone = CHANGE_LOOKS[ChangeStatus(change.status)][0]
    return _badge(tone, change.get_status_display(), change.status)


@register.simple_tag
def change_icon(change: StatusChange, size: int = 18) -> SafeString:
    return _svg(CHANGE_LOOKS[ChangeStatus(change.status)][1], size)


@register.filter
def change_tone(change: StatusChange) -> str:
    return CHANGE_LOOKS[ChangeStatus(change.status)][0]


@register.simple_tag
def badge(shown: Badge) -> SafeString:
    """Where a record stands."""
    return _badge(shown.tone, str(shown.label), shown.state)


@register.simple_tag
def open_change_status(change: StatusChange) -> SafeString:
    """The verb under way and where it stands, in one badge."""
    tone = CHANGE_LOOKS[ChangeStatus(change.status)][0]
    label = f"{kind_title(change.kind)} · {change.get_status_display()}"
    return _badge(tone, label, change.status)


# What a page has hundreds of is put together here: a template takes ten times as long.


@register.simple_tag
def cells(shown: Iterable[Any]) -> SafeString:
    """The facts of a row, each with the heading it stands under where the screen is narrow."""
    return format_html_join(
        "\n  ",
        '<td class="{}" data-label="{}">{}</td>',
        ((cell.css, cell.label, cell.text) for cell in shown),
    )


@register.simple_tag
def options(offered: Iterable[DepartmentChoice], chosen: str) -> SafeString:
    """What a select offers."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((one.feishu_id, SELECTED if one.feishu_id == chosen else "", one.name) for one in offered),
    )
