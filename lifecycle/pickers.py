"""What a form lets people pick by name instead of typing an id: one source per list.

A search finds what is offered by name, pinyin, initials, code and id, best first. The whole
company can be picked from, whatever a user's own reach: filling in a form needs a department
or a leader elsewhere too. Where the ids come from: docs/adr/0007.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from lifecycle import policies
from lifecycle.errors.problems import NotAllowed, NotFound
from lifecycle.errors.words import Words
from lifecycle.models import CatalogueEntry, Contact, Department, Employment
from lifecycle.policies import Capability, Someone

MOST = 20
# A list this short is shown whole.
SHORT = 12
SEARCH_LENGTH = 60
ID_LENGTH = 128
EXACT, BEGINS, SOMEWHERE = 0, 1, 2

# What Feishu's ids are made of; where a list may be incomplete, such a text is taken as one.
_LOOKS_LIKE_ID = re.compile(r"(?=.*\d)[A-Za-z0-9_.=+/-]{1,128}")


@dataclass(frozen=True, slots=True)
class Choice:
    """`title` and `hint` are the two lines of an option, `label` is what plans and tables say."""

    value: str
    title: str
    hint: str = ""
    label: str = ""
    is_active: bool = True
    ends_on: date | None = None

    def __str__(self) -> str:
        return self.label or self.title


@dataclass(frozen=True, slots=True)
class Source:
    """One list to pick from.

    `noun` names one of its entries. `is_open`: Feishu hands out no complete list, so an id
    that is not in ours is taken as typed.
    """

    what: str
    noun: Words
    rows: Callable[[], QuerySet[Any]]
    offered: Callable[[], Q]
    choices: Callable[[Sequence[Any]], list[Choice]]
    search_column: str = "search_text"
    # Columns in which further words of a search may stand, and their exact text counts too.
    more_columns: tuple[str, ...] = ()
    order: tuple[str, ...] = ("name", "pk")
    is_open: bool = False
    may_be_short: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """`more`: there are others, so the text has to say more."""

    choices: list[Choice] = field(default_factory=list)
    more: bool = False


# -- searching ----------------------------------------------------------------------------


def search(user: Someone, what: str, text: str) -> Hits:
    """What is offered for a text, best first; the beginning of the list for an empty one.

    Raises NotAllowed for who may ask for no change, NotFound for a list there is not.
    """
    if not policies.can(user, Capability.ASK_FOR_CHANGE):
        raise NotAllowed
    return matches(what, text)


def matches(what: str, text: str) -> Hits:
    """As `search`, for a form that is being filled in by somebody who may."""
    source = source_of(what)
    found = list(_ranked(source, _tidy(text)[:SEARCH_LENGTH])[: MOST + 1])
    return Hits(source.choices(found[:MOST]), more=len(found) > MOST)


def exact(what: str, text: str) -> Choice | None:
    """The only entry offered whose name, pinyin, initials, code or id is this text."""
    source, text = source_of(what), _tidy(text)
    if not text or len(text) > ID_LENGTH:
        return None
    found = list(_ranked(source, text).filter(rank=EXACT)[:2])
    return source.choices(found)[0] if len(found) == 1 else None


def short_list(what: str) -> list[Choice] | None:
    """Everything offered when it is little enough to be shown whole; None otherwise."""
    source = source_of(what)
    if not source.may_be_short:
        return None
    found = list(source.rows().filter(source.offered()).order_by(*source.order)[: SHORT + 1])
    return source.choices(found) if 0 < len(found) <= SHORT else None


def _tidy(text: str) -> str:
    return " ".join(text.replace("\x00", "").lower().split())


def _ranked(source: Source, text: str) -> QuerySet[Any]:
    rows = source.rows().filter(source.offered())
    ranked: QuerySet[Any]
    if not text:
        ranked = rows.annotate(rank=Value(SOMEWHERE)).order_by(*source.order)
        return ranked
    found = reduce(and_, (_has_word(source, word) for word in text.split()), Q())
    first = text.split()[0]
    rank = Case(
        When(_is_line(source, text), then=EXACT),
        When(_begins_line(source, text) | _begins_line(source, first), then=BEGINS),
        default=SOMEWHERE,
        output_field=IntegerField(),
    )
    ranked = rows.filter(found).annotate(rank=rank).order_by("rank", *source.order)
    return ranked


def _has_word(source: Source, word: str) -> Q:
    found = Q(**{f"{source.search_column}__contains": word})
    return reduce(or_, (Q(**{f"{name}__icontains": word}) for name in source.more_columns), found)


def _is_line(source: Source, text: str) -> Q:
    """The search column holds one thing per line."""
    column = source.search_column
    whole = Q(**{column: text}) | Q(**{f"{column}__contains": f"\n{text}\n"})
    edges = Q(**{f"{column}__startswith": f"{text}\n"}) | Q(**{f"{column}__endswith": f"\n{text}"})
    named = (Q(**{f"{name}__iexact": text}) for name in source.more_columns)
    return reduce(or_, named, whole | edges)


def _begins_line(source: Source, text: str) -> Q:
    column = source.search_column
    return Q(**{f"{column}__startswith": text}) | Q(**{f"{column}__contains": f"\n{text}"})


# -- names --------------------------------------------------------------------------------


def find(what: str, value: str) -> Choice | None:
    """The entry with this id, offered or not."""
    return found_by_id(what, [value]).get(value)


def found_by_id(what: str, values: Iterable[str]) -> dict[str, Choice]:
    """The entries with these ids, offered or not, as far as we have them; one query."""
    source = source_of(what)
    ids = {value for value in values if 0 < len(value) <= ID_LENGTH and "\x00" not in value}
    if not ids:
        return {}
    found = list(source.rows().filter(feishu_id__in=ids))
    return {choice.value: choice for choice in source.choices(found)}


def label(what: str, value: str) -> str:
    """The name behind an id; the id itself when we know none."""
    return labels(what, [value]).get(value, value)


def labels(what: str, values: Iterable[str]) -> dict[str, str]:
    """The names behind ids; each id we know no name for stands for itself."""
    ids = set(values) - {""}
    found = found_by_id(what, ids)
    return {value: str(found[value]) if value in found else value for value in ids}


def looks_like_id(value: str) -> bool:
    return _LOOKS_LIKE_ID.fullmatch(value) is not None


def takes_unlisted(what: str) -> bool:
    """True where an id we do not know may be right all the same: Feishu hands out no complete
    list, or none that we may read."""
    source = source_of(what)
    if source.is_open:
        return True
    return source.rows().model is CatalogueEntry and not source.rows().exists()


def source_of(what: str) -> Source:
    try:
        return SOURCES[what]
    except KeyError as error:
        raise NotFound from error


# -- the sources --------------------------------------------------------------------------


def _department_choices(rows: Sequence[Department]) -> list[Choice]:
    return [
        Choice(
            value=row.feishu_id,
            title=row.name or row.feishu_id,
            hint=row.full_name if row.full_name != row.name else "",
            label=str(row),
            is_active=row.is_active,
        )
        for row in rows
    ]


def _contact_choices(rows: Sequence[Contact]) -> list[Choice]:
    """Department and number tell two people of the same name apart."""
    homes = [_home_of(row) for row in rows]
    names = _department_names(homes)
    return [
        Choice(
            value=row.feishu_id,
            title=str(row),
            hint=_joined(names.get(home, ""), str(row.payload.get("employee_no") or "")),
            is_active=row.is_active,
        )
        for row, home in zip(rows, homes, strict=True)
    ]


def _home_of(contact: Contact) -> str:
    listed = contact.payload.get("department_ids")
    home = listed[0] if isinstance(listed, list) and listed else ""
    return home if isinstance(home, str) else ""


def _employment_choices(rows: Sequence[Employment]) -> list[Choice]:
    names = _department_names([row.department_id for row in rows])
    return [
        Choice(
            value=row.feishu_id,
            title=row.person.name or row.feishu_id,
            hint=_joined(names.get(row.department_id, ""), row.number),
            is_active=row.status != "terminated",
        )
        for row in rows
    ]


def _entry_choices(rows: Sequence[CatalogueEntry]) -> list[Choice]:
    today = timezone.localdate()
    return [
        Choice(
            value=row.feishu_id,
            title=str(row),
            hint=str(row.payload.get("code") or row.payload.get("short_code") or ""),
            is_active=row.is_active and (row.ends_on is None or row.ends_on >= today),
            ends_on=row.ends_on,
        )
        for row in rows
    ]


def _department_names(ids: Iterable[str]) -> dict[str, str]:
    rows = Department.objects.filter(feishu_id__in=set(ids) - {""})
    return {row.feishu_id: str(row) for row in rows.only("feishu_id", "name", "full_name")}


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _active() -> Q:
    return Q(is_active=True)


def _still_valid() -> Q:
    return Q(is_active=True) & (Q(ends_on=None) | Q(ends_on__gte=timezone.localdate()))


def _catalogue(kind: CatalogueEntry.Kind, noun: Words, *, is_open: bool = False) -> Source:
    return Source(
        what=kind.value,
        noun=noun,
        rows=lambda: CatalogueEntry.objects.filter(kind=kind.value),
        offered=_still_valid,
        choices=_entry_choices,
        is_open=is_open,
        may_be_short=not is_open,
    )


_K = CatalogueEntry.Kind

SOURCES: dict[str, Source] = {
    source.what: source
    for source in (
        Source(
            what="department",
            noun=Words("部门", "department"),
            rows=Department.objects.all,
            offered=_active,
            choices=_department_choices,
            more_columns=("full_name",),
        ),
        Source(
            what="contact",
            noun=Words("同事", "colleague"),
            rows=Contact.objects.all,
            offered=_active,
            choices=_contact_choices,
        ),
        Source(
            what="employment",
            noun=Words("员工", "employee"),
            rows=lambda: Employment.objects.select_related("person"),
            offered=lambda: ~Q(status="terminated"),
            choices=_employment_choices,
            search_column="person__search_text",
            more_columns=("number",),
            order=("person__name", "pk"),
        ),
        _catalogue(_K.JOB_LEVEL, Words("职级", "job level")),
        _catalogue(_K.JOB_FAMILY, Words("序列", "job family"), is_open=True),
        _catalogue(_K.EMPLOYEE_TYPE, Words("人员类型", "employee type")),
        _catalogue(_K.CORE_HR_EMPLOYEE_TYPE, Words("人员类型", "employee type")),
        _catalogue(_K.LOCATION, Words("办公地点", "office location")),
        _catalogue(_K.JOB_REQUIREMENT, Words("招聘需求", "job requirement")),
        _catalogue(_K.COST_CENTER, Words("成本中心", "cost center")),
    )
}
