"""From Feishu's payloads to our rows: the only writer of the mirror.

Many payloads carry no modified time, so the answer that was asked for last wins: a row is
written only when it was asked for later than what is stored. Records are stored in
batches with a constant number of queries. A record that cannot be understood is put aside
and reported; it never stops the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone

from lifecycle import differences
from lifecycle.change_states import EXCLUSIVE_STATUSES
from lifecycle.differences import READ, Origin, Step, Version
from lifecycle.feishu import times
from lifecycle.masking import TAIL, email_key, phone_key
from lifecycle.models import (
    Application,
    ChangeEvent,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    StatusChange,
    Talent,
    UnreadableRecord,
)
from lifecycle.models.mirror import FIRST_DAY, LAST_DAY, Mirrored, Vanishing
from lifecycle.pinyin import search_text
from lifecycle.rules import ConversionStatus, OnboardStatus, StageType
from lifecycle.transactions import whole
from lifecycle.unreadable import (
    BadRecord,
    Odd,
    Stored,
    check_storable,
    forget_unreadable,
    is_storable,
    name_of,
    set_aside,
)

log = logging.getLogger(__name__)

ID_LENGTH = 64

ONBOARD = {1: OnboardStatus.ONBOARDED, 2: OnboardStatus.LEFT}
CONVERSION = {1: ConversionStatus.NOT_CONVERTED, 2: ConversionStatus.CONVERTED}
OFFER_FIELDS = (
    "leader",
    "employee_type",
    "department",
    "sequence",
    "level",
    "job_requirement_id",
    "probation_month",
    "onboard_date",
)
STAGES = {
    1: StageType.SCREENING,
    2: StageType.EVALUATION,
    3: StageType.WRITTEN_TEST,
    4: StageType.INTERVIEW,
    5: StageType.OFFER,
    6: StageType.PRE_HIRE,
    7: StageType.ONBOARDED,
}


@dataclass(slots=True)
class Row:
    """A payload on its way to a row. The hints say which person it belongs to."""

    feishu_id: str
    columns: dict[str, Any]
    payload: dict[str, Any]
    name: str = ""
    talent_id: str = ""
    application_id: str = ""
    employment_id: str = ""


Reader = Callable[[Mapping[str, Any]], Row]


@whole
def store_talents(payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ) -> Stored:
    """Store items of H1 (or the object of H3)."""
    payloads = list(payloads)
    _forget_who_left(payloads, asked_at)
    return _store(Talent, payloads, talent_row, asked_at, origin)


def store_applications(
    payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ
) -> Stored:
    """Store applications of H6."""
    return _store(Application, payloads, application_row, asked_at, origin)


def store_employees(
    payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ
) -> Stored:
    """Store Hire employees of H10, H11, or the answer of A2 and A3."""
    return _store(Employee, payloads, employee_row, asked_at, origin)


def store_pre_hires(
    payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ
) -> Stored:
    """Store pre-hires of P3."""
    return _store(PreHire, payloads, pre_hire_row, asked_at, origin)


@whole
def store_pre_hire_details(payloads: Iterable[Any], *, asked_at: datetime) -> Stored:
    """Store pre-hires of P2, or the answer of A5, beside what the search has found.

    A pre-hire that no search has found yet belongs to nobody and is left to the next one.
    """
    result, payloads = Stored(), list(payloads)
    odd: list[Odd] = []
    _lock(PreHire, payloads)
    with differences.told_last():
        for payload in payloads:
            try:
                _store_pre_hire_detail(payload, asked_at, result)
            except BadRecord as error:
                odd.append(_odd(PreHire, payload, error))
        set_aside(PreHire, odd, asked_at=asked_at)
    result.unreadable = [(one.name, one.problem) for one in odd]
    return result


def _lock(model: type[Mirrored], payloads: Iterable[Any]) -> None:
    names = [name_of(payload, ID_FIELDS[model]) for payload in payloads]
    rows = model._base_manager.select_for_update().filter(feishu_id__in=names)
    list(rows.order_by("feishu_id").values_list("pk"))


def _store_pre_hire_detail(payload: Any, asked_at: datetime, result: Stored) -> None:
    if not isinstance(payload, Mapping):
        raise BadRecord("the record is not an object")
    check_storable(payload)
    known = PreHire.everyone.filter(feishu_id=_id(payload, "id"))
    older = models.Q(detail_asked_at=None) | models.Q(detail_asked_at__lt=asked_at)
    stored = known.filter(older).update(detail=dict(payload), detail_asked_at=asked_at)
    for row in known.filter(asked_at__lt=asked_at):
        _update_from_detail(row, payload, asked_at)
    result.stored += stored
    result.skipped += 1 - stored


def _update_from_detail(row: PreHire, detail: Mapping[str, Any], asked_at: datetime) -> None:
    """What the detail tells of what a search has found."""
    columns = _detail_columns(detail)
    found_payload = dict(row.payload)
    if "cost_center_rate" in detail:
        employment = _object(found_payload, "employment_info")
        rates = {"cost_center_rates": detail["cost_center_rate"]}
        found_payload["employment_info"] = {**employment, **rates}
    columns |= {"missing_since": None, "gone_at": None}
    after = Version({**vars(row), **columns}, found_payload, asked_at)
    step = Step(row.feishu_id, row.person_id, differences.version_of(row), after)
    found = differences.found_in(PreHire, [step], READ)
    PreHire.everyone.filter(pk=row.pk).update(asked_at=asked_at, payload=found_payload, **columns)
    differences.store(found.events)


def _detail_columns(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the detail tells of the columns. Feishu checks nothing when a pre-hire is updated,
    so a day may be none; the column keeps the last one that was."""
    columns: dict[str, Any] = {}
    status = _text(_object(payload, "onboarding_status"), "enum_name")
    if status:
        columns["onboarding_status"] = status[:20]
    try:
        onboards_on = _day(payload, "hire_date")
    except BadRecord:
        onboards_on = None
    if onboards_on is not None:
        columns |= {"onboards_on": onboards_on, "sort_on": onboards_on}
    application_id = _text(payload, "ats_application_id")
    if 0 < len(application_id) <= ID_LENGTH:
        columns["application_id"] = application_id
    return columns


def store_employments(
    payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ
) -> Stored:
    """Store CoreHR employments of R1, read with people_corehr_id."""
    return _store(Employment, payloads, employment_row, asked_at, origin)


def store_offboardings(
    payloads: Iterable[Any], *, asked_at: datetime, origin: Origin = READ
) -> Stored:
    """Store offboarding records of O1, read with people_corehr_id."""
    return _store(Offboarding, payloads, offboarding_row, asked_at, origin)


@whole
def note_missing_employees(
    application_ids: Collection[str], *, among: Iterable[str], asked_at: datetime
) -> None:
    """Feishu knows no employee for these applications (H11: 1002903), but one for each other
    of those that were asked about. `services/quarantine.py` decides what follows."""
    missing = Employee.objects.filter(application_id__in=application_ids, missing_since=None)
    missing.filter(asked_at__lt=asked_at).exclude(application_id="").update(missing_since=asked_at)
    found = Employee.objects.filter(application_id__in=set(among) - set(application_ids))
    found.exclude(missing_since=None).update(missing_since=None)


@whole
def note_unseen(model: type[Vanishing], *, since: datetime, asked_at: datetime) -> None:
    """After a whole pass over a list that began at `since`: what it has not shown is missing.
    A record that was shown and could not be read is not."""
    unreadable = UnreadableRecord.objects.filter(
        kind=model._meta.model_name or "", last_seen_at__gte=since
    )
    unseen = model.everyone.filter(gone_at=None, asked_at__lt=since)
    unseen.filter(missing_since=None).exclude(feishu_id__in=unreadable.values("feishu_id")).update(
        missing_since=asked_at
    )


@whole
def note_unmet(
    model: type[Vanishing], rows: Iterable[Vanishing], *, since: datetime, asked_at: datetime
) -> None:
    """These were asked for by their ids; what has not been shown since then is missing."""
    asked = model.everyone.filter(pk__in=[row.pk for row in rows], asked_at__lt=since)
    unreadable = UnreadableRecord.objects.filter(
        kind=model._meta.model_name or "", last_seen_at__gte=since
    )
    asked.filter(missing_since=None).exclude(feishu_id__in=unreadable.values("feishu_id")).update(
        missing_since=asked_at
    )


def count_missing(model: type[Vanishing]) -> tuple[int, int]:
    """How many records are on the lists, and how many of those Feishu no longer shows."""
    present = model.everyone.filter(gone_at=None)
    if model is Employee:
        # One without an application is never asked for.
        present = present.exclude(application_id="")
    return present.count(), present.exclude(missing_since=None).count()


def missing_people(model: type[Vanishing], *, limit: int) -> list[int]:
    """Some of the people whose record Feishu no longer shows."""
    missing = model.everyone.filter(gone_at=None).exclude(missing_since=None)
    return list(missing.order_by("missing_since", "pk").values_list("person_id", flat=True)[:limit])


@whole
def take_missing_off(model: type[Vanishing], *, before: datetime, at: datetime) -> int:
    """Those missing since before then are gone; how many."""
    missing = model.everyone.select_for_update().filter(gone_at=None, missing_since__lte=before)
    rows = list(missing.order_by("feishu_id").defer("payload"))
    model.everyone.filter(pk__in=[row.pk for row in rows]).update(gone_at=at)
    differences.gone(rows, at=at)
    return len(rows)


def forget_missing(model: type[Vanishing]) -> int:
    """The answers without them are not believed: they are as if just seen."""
    missing = model.everyone.filter(gone_at=None).exclude(missing_since=None)
    return missing.update(missing_since=None)


# -- what no reading tells ----------------------------------------------------------------


@whole
def note_talent_onboarded(talent_id: str, *, at: datetime) -> None:
    """A1 has no record in its answer: what was asked before `at` must not take this back."""
    talent = Talent.objects.select_for_update().filter(feishu_id=talent_id).first()
    if talent is None or talent.asked_at > at:
        return
    _note(talent, {"is_onboarded": True}, {"is_onboarded": True}, at=at)


def note_talent_left(talent_id: str, *, at: datetime) -> None:
    """Marked as left. Whether Feishu goes on calling the talent onboarded is not documented,
    so `is_onboarded` stays as read."""
    Talent.objects.filter(feishu_id=talent_id).update(left_known_at=at)


def _forget_who_left(payloads: Sequence[Any], asked_at: datetime) -> None:
    """Somebody who left and, having been read as not onboarded, is onboarded again has come
    back through recruiting."""
    onboarded = [
        payload.get("id") or payload.get("talent_id")
        for payload in payloads
        if isinstance(payload, Mapping) and payload.get("is_onboarded") is True
    ]
    Talent.objects.filter(
        feishu_id__in=[name for name in onboarded if isinstance(name, str) and is_storable(name)],
        left_known_at__lt=asked_at,
        asked_at__lt=asked_at,
        is_onboarded=False,
    ).update(left_known_at=None)


@whole
def note_stage(application_id: str, stage: StageType, *, at: datetime) -> None:
    """A change of ours that is done has brought the application to this stage; a reading will
    tell its name and id."""
    application = Application.objects.select_for_update().filter(feishu_id=application_id).first()
    if application is None or application.asked_at > at or application.stage_type == stage:
        return
    number = next(number for number, known in STAGES.items() if known is stage)
    columns = {"stage_type": stage.value, "stage_id": ""}
    _note(application, columns, {"stage": {"type": number}}, at=at)


def _note(
    row: Mirrored, columns: Mapping[str, Any], payload: Mapping[str, Any], *, at: datetime
) -> None:
    before = differences.version_of(row)
    before = Version(dict(before.columns), before.payload, before.asked_at)
    row.payload = {**row.payload, **payload}
    row.asked_at = at
    for name, value in columns.items():
        setattr(row, name, value)
    step = Step(row.feishu_id, row.person_id, before, differences.version_of(row))
    row.save(update_fields=[*columns, "payload", "asked_at"])
    differences.store(differences.found_in(type(row), [step], READ).events)


def note_about_application(
    application_id: str, *, is_locked: bool | None = None, offer: Mapping[str, Any] | None = None
) -> None:
    """What H6 does not tell; None leaves what is kept as it is."""
    known: dict[str, Any] = {} if is_locked is None else {"is_locked": is_locked}
    if offer is not None and is_storable(offer):
        known["offer"] = _only(offer, OFFER_FIELDS)
    if known:
        Application.objects.filter(feishu_id=application_id).update(**known)


def note_missing_employee(
    *, employee_id: str = "", application_id: str = "", asked_at: datetime
) -> None:
    """Feishu has no such employee (1002903), asked by either id: a first answer, which the next
    pass of the sync confirms."""
    one = {"feishu_id": employee_id} if employee_id else {"application_id": application_id}
    missing = Employee.objects.filter(**one, missing_since=None, asked_at__lt=asked_at)
    missing.update(missing_since=asked_at)


def note_employee_gone(employee_id: str, *, at: datetime) -> None:
    """Gone by a change of ours, so no second reading is needed. Should Feishu have kept the
    record all the same, the next reading of it brings it back."""
    present = Employee.objects.select_for_update().filter(feishu_id=employee_id, asked_at__lte=at)
    rows = list(present)
    present.update(asked_at=at, missing_since=at, gone_at=at)
    differences.gone(rows, at=at)


# -- payload to columns -------------------------------------------------------------------


def talent_row(payload: Mapping[str, Any]) -> Row:
    """H1 calls the id `id`, H3 calls it `talent_id`; the phone likewise has two names."""
    talent_id = _id(payload, "id" if "id" in payload else "talent_id")
    info = _object(payload, "basic_info")
    phone = _text(info, "mobile" if "mobile" in info else "mobile_number")[:40]
    email = _text(info, "email")[:200]
    updated_at = _moment(info.get("modify_time") or info.get("update_time"))
    return Row(
        feishu_id=talent_id,
        payload=_only(payload, ("id", "talent_id", "is_onboarded"))
        | {"basic_info": _only(info, ("name", "mobile", "mobile_number", "mobile_code", "email"))},
        columns={
            "is_onboarded": payload.get("is_onboarded") is True,
            "phone": phone,
            "email": email,
            "phone_key": phone_key(phone),
            "phone_tail": phone_key(phone)[-TAIL:],
            "email_key": email_key(email),
            "updated_at": updated_at,
            "sort_on": _tenant_day(updated_at) or FIRST_DAY,
        },
        name=_text(info, "name"),
        talent_id=talent_id,
    )


def application_row(payload: Mapping[str, Any]) -> Row:
    stage = _object(payload, "stage")
    talent_id = _text(payload, "talent_id")
    updated_at = _moment(payload.get("modify_time"))
    return Row(
        feishu_id=_id(payload, "id"),
        payload=dict(payload),
        columns={
            "talent_id": talent_id,
            "job_id": _text(payload, "job_id"),
            "stage_id": _text(stage, "id"),
            "stage_type": STAGES.get(_whole(stage, "type") or 0, StageType.OTHER).value
            if stage
            else "",
            "is_active": payload.get("active_status") != 2,
            "updated_at": updated_at,
            "sort_on": _tenant_day(updated_at) or FIRST_DAY,
        },
        talent_id=talent_id,
        application_id=_id(payload, "id"),
    )


def employee_row(payload: Mapping[str, Any]) -> Row:
    """Times are int ms here (H10, H11, A2, A3); 0 means unset."""
    onboard = ONBOARD.get(_whole(payload, "onboard_status") or 0)
    if onboard is None:
        raise BadRecord("onboard_status is neither 1 nor 2")
    conversion = CONVERSION.get(_whole(payload, "conversion_status") or 0)
    due_on = _ms_day(payload, "expected_conversion_time")
    converted_on = _ms_day(payload, "actual_conversion_time")
    application_id = _text(payload, "application_id")
    awaits_conversion = (
        onboard is OnboardStatus.ONBOARDED and conversion is ConversionStatus.NOT_CONVERTED
    )
    columns: dict[str, Any] = {
        "application_id": application_id,
        "onboard_status": onboard.value,
        "conversion_status": conversion.value if conversion else "",
        "onboarded_on": _ms_day(payload, "onboard_time"),
        "expected_conversion_on": due_on,
        "due_sort_on": due_on if due_on and awaits_conversion else LAST_DAY,
        "converted_on": converted_on if conversion is ConversionStatus.CONVERTED else None,
        "left_on": _ms_day(payload, "overboard_time") if onboard is OnboardStatus.LEFT else None,
        "department_id": _text(payload, "department"),
        "leader_open_id": _text(payload, "leader"),
        "job_level_id": _text(payload, "level"),
        "job_family_id": _text(payload, "sequence"),
        "employee_type_id": _text(payload, "employee_type"),
        "employment_id": _text(payload, "external_employment_id"),
        "missing_since": None,
        "gone_at": None,
    }
    return Row(
        feishu_id=_id(payload, "id"),
        payload=dict(payload),
        columns=columns,
        application_id=application_id,
        employment_id=columns["employment_id"],
    )


def pre_hire_row(payload: Mapping[str, Any]) -> Row:
    person, onboarding = _object(payload, "person_info"), _object(payload, "onboarding_info")
    application_id = _text(onboarding, "ats_application_id")
    onboards_on = _day(onboarding, "onboarding_date")
    return Row(
        feishu_id=_id(payload, "pre_hire_id"),
        payload=dict(payload),
        columns={
            "application_id": application_id,
            "onboarding_status": _text(onboarding, "onboarding_status")[:20],
            "onboards_on": onboards_on,
            "sort_on": onboards_on or LAST_DAY,
            "department_id": _text(_object(payload, "employment_info"), "department_id"),
            "missing_since": None,
            "gone_at": None,
        },
        name=_text(person, "preferred_name") or _text(person, "legal_name"),
        talent_id=_text(person, "talent_id"),
        application_id=application_id,
    )


def employment_row(payload: Mapping[str, Any]) -> Row:
    """`_v2` fields hold the id when the conversion of the plain one failed (contract R1)."""
    employment_id = _text(payload, "employment_id_v2") or _id(payload, "employment_id")
    person = _object(payload, "person_info")
    return Row(
        feishu_id=employment_id,
        payload=dict(payload),
        columns={
            "application_id": _text(payload, "ats_application_id"),
            "number": _text(payload, "employee_number"),
            "status": _text(_object(payload, "employment_status"), "enum_name")[:20],
            "department_id": _text(payload, "department_id_v2") or _text(payload, "department_id"),
            "leader_employment_id": _text(payload, "direct_manager_id_v2")
            or _text(payload, "direct_manager_id"),
            "started_on": _day(payload, "effective_date"),
            "ends_on": _day(payload, "expiration_date"),
        },
        name=_text(person, "preferred_name") or _text(person, "legal_name"),
        application_id=_text(payload, "ats_application_id"),
        employment_id=employment_id,
    )


def offboarding_row(payload: Mapping[str, Any]) -> Row:
    info = _object(payload, "offboarding_info")
    employment_id = _text(info, "employment_id")
    offboards_on, expected_on = (
        _day(info, "offboarding_date"),
        _day(info, "expected_offboarding_date"),
    )
    return Row(
        feishu_id=_id(payload, "offboarding_id"),
        payload=dict(payload),
        columns={
            "employment_id": employment_id,
            "initiating_type": _text(payload, "initiating_type")[:40],
            "status": _text(payload, "status")[:20],
            "offboards_on": offboards_on,
            "expected_on": expected_on,
            "sort_on": offboards_on or expected_on or LAST_DAY,
            "missing_since": None,
            "gone_at": None,
        },
        employment_id=employment_id,
    )


# -- storing ------------------------------------------------------------------------------


def _store(
    model: type[Mirrored],
    payloads: Iterable[Any],
    read: Reader,
    asked_at: datetime,
    origin: Origin,
) -> Stored:
    rows: dict[str, Row] = {}
    odd: list[Odd] = []
    for payload in payloads:
        try:
            row = _read_row(model, read, payload)
        except BadRecord as error:
            odd.append(_odd(model, payload, error))
            continue
        rows[row.feishu_id] = row
    set_aside(model, odd, asked_at=asked_at)
    stored = _write(model, rows, asked_at, origin)
    stored.unreadable = [(one.name, one.problem) for one in odd]
    return stored


def _read_row(model: type[Mirrored], read: Reader, payload: Any) -> Row:
    if not isinstance(payload, Mapping):
        raise BadRecord("the record is not an object")
    check_storable(payload)
    row = read(payload)
    for name, value in row.columns.items():
        longest = getattr(model._meta.get_field(name), "max_length", None)
        if longest is not None and isinstance(value, str) and len(value) > longest:
            raise BadRecord(f"{name} is longer than {longest} characters")
    return row


@whole
def _write(
    model: type[Mirrored], rows: Mapping[str, Row], asked_at: datetime, origin: Origin
) -> Stored:
    """Write those that were asked for later than what is stored."""
    forget_unreadable(model, rows, asked_at=asked_at)
    known = {
        row.feishu_id: row
        for row in model._base_manager.select_for_update()
        .filter(feishu_id__in=rows)
        .order_by("feishu_id")
    }
    fresh = [
        row
        for row in rows.values()
        if row.feishu_id not in known or known[row.feishu_id].asked_at < asked_at
    ]
    stored = Stored(skipped=len(rows) - len(fresh))
    if model is Employee:
        _keep_employment_ids(fresh, known)
    owners = _owners_of(fresh)
    news = [row for row in fresh if not _is_as_known(row, known.get(row.feishu_id), owners)]
    as_known = {row.feishu_id for row in fresh} - {row.feishu_id for row in news}
    people = _people_of(news, known, owners)
    found = differences.found_in(model, _steps(news, known, people, asked_at), origin)
    if seen := as_known | found.behind:
        model._base_manager.filter(feishu_id__in=seen).update(asked_at=asked_at)
    news = [row for row in news if row.feishu_id not in found.behind]
    _upsert(model, news, people, asked_at)
    differences.store(found.events)
    stored.stored = len(as_known) + len(news)
    return stored


def _is_as_known(row: Row, known: Mirrored | None, owners: Owners) -> bool:
    """Whether the record is what we have, under the person we have it under: most of what a
    sync reads, and of that only the time of the reading is written."""
    if known is None or known.payload != row.payload:
        return False
    if any(getattr(known, name) != value for name, value in row.columns.items()):
        return False
    employed = owners.employments.get(row.employment_id) if row.employment_id else known.person_id
    return employed == known.person_id == owners.of(row, known)


def _upsert(
    model: type[Mirrored], rows: Sequence[Row], people: Mapping[str, int], asked_at: datetime
) -> None:
    if not rows:
        return
    model._base_manager.bulk_create(
        [
            model(
                feishu_id=row.feishu_id,
                person_id=people[row.feishu_id],
                payload=row.payload,
                asked_at=asked_at,
                **row.columns,
            )
            for row in sorted(rows, key=attrgetter("feishu_id"))
        ],
        update_conflicts=True,
        unique_fields=["feishu_id"],
        update_fields=["person", "payload", "asked_at", *sorted(rows[0].columns)],
        batch_size=500,
    )


def _steps(
    rows: Iterable[Row],
    known: Mapping[str, Mirrored],
    people: Mapping[str, int],
    asked_at: datetime,
) -> list[Step]:
    return [
        Step(
            row.feishu_id,
            people[row.feishu_id],
            differences.version_of(known[row.feishu_id]) if row.feishu_id in known else None,
            Version(row.columns, row.payload, asked_at),
        )
        for row in rows
    ]


def _keep_employment_ids(rows: Sequence[Row], known: Mapping[str, Mirrored]) -> None:
    """Only H11 names the CoreHR employment; the answers of A2 and H10 leave it out, which
    does not mean that it is gone."""
    for row in rows:
        if "external_employment_id" in row.payload or row.feishu_id not in known:
            continue
        kept = known[row.feishu_id].payload.get("external_employment_id", "")
        if kept:
            row.payload["external_employment_id"] = kept
            row.columns["employment_id"] = kept


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose the ids are that the rows of a batch name: id -> person id."""

    talents: Mapping[str, int]
    applications: Mapping[str, int]
    employments: Mapping[str, int]

    def of(self, row: Row, known: Mirrored | None) -> int | None:
        return (
            self.talents.get(row.talent_id)
            or self.applications.get(row.application_id)
            or (known.person_id if known is not None else None)
            or self.employments.get(row.employment_id)
        )


def _owners_of(rows: Sequence[Row]) -> Owners:
    applications = {row.application_id for row in rows if row.application_id}
    return Owners(
        _people_by("talent_id", {row.talent_id for row in rows}),
        dict(
            Application.objects.filter(feishu_id__in=applications).values_list(
                "feishu_id", "person_id"
            )
        ),
        _people_by("employment_id", {row.employment_id for row in rows}),
    )


def _people_of(
    rows: Sequence[Row], known: Mapping[str, Mirrored], owners: Owners
) -> dict[str, int]:
    """feishu_id -> person id, making and naming people where needed."""
    found: dict[str, int] = {}
    for row in rows:
        person_id = owners.of(row, known.get(row.feishu_id))
        if person_id is not None:
            found[row.feishu_id] = person_id
    met = [row for row in rows if row.feishu_id in found]
    _make_people([row for row in rows if row.feishu_id not in found], found)
    _describe_people(met, found)
    return found


def _people_by(column: str, values: set[str]) -> dict[str, int]:
    wanted = values - {""}
    if not wanted:
        return {}
    return dict(Person.objects.filter(**{f"{column}__in": wanted}).values_list(column, "pk"))


def _make_people(rows: Sequence[Row], found: dict[str, int]) -> None:
    """Two rows of one batch may be the same new talent, so people are made by their key."""
    made: dict[str, Person] = {}
    employed: set[str] = set()
    for row in rows:
        person = made.setdefault(_key_of(row), Person(talent_id=row.talent_id or None))
        if row.employment_id and person.employment_id is None and row.employment_id not in employed:
            person.employment_id = row.employment_id
            employed.add(row.employment_id)
        _describe(person, row)
    Person.objects.bulk_create(made.values(), batch_size=500)
    found |= {row.feishu_id: made[_key_of(row)].pk for row in rows}


def _key_of(row: Row) -> str:
    return row.talent_id or row.employment_id or row.feishu_id


def _describe(person: Person, row: Row) -> None:
    """The name, and by what the person is found."""
    if row.name:
        person.name = row.name[:200]
    ids = [row.feishu_id, row.talent_id, row.employment_id]
    old = [part for part in person.search_text.split("\n") if part.isdigit()]
    person.search_text = search_text(person.name, *dict.fromkeys(old + ids))


def _describe_people(rows: Sequence[Row], found: dict[str, int]) -> None:
    """Names, ids and search text, written only where they change."""
    if not rows:
        return
    locked = Person.objects.order_by("pk").select_for_update(no_key=True)
    people = locked.in_bulk({found[row.feishu_id] for row in rows})
    taken = _people_by("employment_id", {row.employment_id for row in rows})
    changed: dict[int, Person] = {}
    for row in rows:
        person = people[found[row.feishu_id]]
        before = (person.name, person.employment_id, person.search_text)
        if row.employment_id:
            holder = taken.setdefault(row.employment_id, person.pk)
            if holder != person.pk and _take_over(person, holder):
                taken[row.employment_id] = person.pk
                found |= {key: person.pk for key, pk in found.items() if pk == holder}
            if taken[row.employment_id] == person.pk:
                person.employment_id = row.employment_id
        _describe(person, row)
        if before != (person.name, person.employment_id, person.search_text):
            changed[person.pk] = person
    Person.objects.bulk_create(
        [person for _, person in sorted(changed.items())],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name", "employment_id", "open_id", "search_text"],
        batch_size=500,
    )


def _take_over(person: Person, holder_id: int) -> bool:
    """Join to this person what is kept under somebody known from CoreHR alone.

    An offboarding may be read before Hire says whose employment it is about; from then on
    both are one human being, and status changes have to be counted together. False when
    the other one has a talent of its own, or when both have a change under way: then the
    next pass tries again. The emptied row stays, because the log refers to it.
    """
    holder = Person.objects.filter(pk=holder_id, talent_id=None).first()
    open_changes = StatusChange.objects.filter(
        person_id__in=(person.pk, holder_id), status__in=EXCLUSIVE_STATUSES
    )
    if holder is None or open_changes.values("person_id").distinct().count() > 1:
        return False
    for model in ID_FIELDS:
        model._base_manager.filter(person_id=holder_id).update(person_id=person.pk)
    StatusChange.objects.filter(person_id=holder_id).update(person_id=person.pk)
    ChangeEvent.objects.filter(person_id=holder_id).update(person_id=person.pk)
    person.search_text += "\n" + holder.search_text
    person.open_id = person.open_id or holder.open_id
    holder.employment_id, holder.open_id, holder.search_text = None, "", ""
    holder.save(update_fields=["employment_id", "open_id", "search_text"])
    return True


def _odd(model: type[models.Model], payload: Any, error: BadRecord) -> Odd:
    return Odd(name_of(payload, ID_FIELDS[model]), payload, str(error))


ID_FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    Talent: ("id", "talent_id"),
    Application: ("id",),
    Employee: ("id",),
    PreHire: ("pre_hire_id", "id"),
    Employment: ("employment_id_v2", "employment_id"),
    Offboarding: ("offboarding_id",),
}


# -- reading fields -----------------------------------------------------------------------


def _only(payload: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Just these fields: what the portal does not use it does not keep."""
    return {name: payload[name] for name in names if name in payload}


def _id(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH:
        raise BadRecord(f"{name} is missing or not an id")
    return value


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRecord(f"{name} is not text")
    return value


def _whole(payload: Mapping[str, Any], name: str) -> int | None:
    value = payload.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRecord(f"{name} is not a whole number")
    return value


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRecord(f"{name} is not an object")
    return value


def _ms_day(payload: Mapping[str, Any], name: str) -> date | None:
    try:
        ms = times.ms_of(_whole(payload, name))
        return None if ms is None else times.ms_to_day(ms, ZoneInfo(settings.TENANT_TIME_ZONE))
    except (ValueError, OverflowError, OSError) as error:
        raise BadRecord(f"{name} is not a time") from error


def _day(payload: Mapping[str, Any], name: str) -> date | None:
    text = _text(payload, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise BadRecord(f"{name} is not a day") from error


def _tenant_day(moment: datetime | None) -> date | None:
    try:
        return None if moment is None else timezone.localdate(moment)
    except OverflowError:
        return None


def _moment(value: Any) -> datetime | None:
    try:
        ms = times.ms_of(value)
        return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
