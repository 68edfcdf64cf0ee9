"""One request for each documented code of the five writes, and the seeded records the hard ones need.

A special is a whole request: send it to this tenant and the named code comes back.
"""

from datetime import date, timedelta
from typing import Any

from ..codes import STATUSES
from ..store import Record, Store
from .builder import Builder
from .catalogues import Catalogues
from .core_hr import add_offboarding
from .days import iso, midnight_ms
from .organisation import add_closing_department
from .people import Place, add_staff

_HIRE = "/open-apis/hire/v1"
_EDIT = "/open-apis/corehr/v2/offboardings/edit"
_UNKNOWN = "6999999999999999999"


def add_specials(build: Builder, store: Store, lists: Catalogues, place: Place) -> None:
    build.flush()
    _talent_specials(build, store)
    _employee_specials(build, store)
    _application_specials(build, store)
    _pre_hire_specials(build, store, lists)
    _edit_record_specials(build, store, lists, place)


def _special(
    build: Builder,
    endpoint: str,
    code: int,
    method: str,
    path: str,
    body: Any,
    why: str,
    **more: Any,
) -> None:
    build.add(
        "specials",
        {
            "id": f"{endpoint}:{code}",
            "endpoint": endpoint,
            "code": code,
            "http_status": STATUSES[endpoint, code],
            "method": method,
            "path": path,
            "query": {},
            "body": body,
            "why": why,
            "settings": {},
            "fault": None,
            **more,
        },
    )


def _fault(endpoint: str, code: int) -> dict[str, Any]:
    return {"endpoint": endpoint, "kind": "code", "code": code, "times": 1}


def _first(store: Store, kind: str, **wanted: Any) -> Record:
    for _, record in store.scan(kind):
        if all(record.get(key) == value for key, value in wanted.items()):
            return record
    raise LookupError(f"no seeded record in {kind} with {wanted}")


def _talent_specials(build: Builder, store: Store) -> None:
    talent = _first(store, "talents", state="none")["id"]
    path = f"{_HIRE}/talents/{talent}/onboard_status"
    body = {"operation": 1, "onboard_time": str(midnight_ms(build.today))}
    fault = _fault("A1", 1002001)
    _special(
        build, "A1", 1002001, "POST", path, body, "injected fault", subject=talent, fault=fault
    )
    number = {"operation": 1, "onboard_time": midnight_ms(build.today)}
    _special(build, "A1", 1002002, "POST", path, number, "the time is a number", subject=talent)


def _employee_specials(build: Builder, store: Store) -> None:
    hire_only = {"external_employment_id": "", "onboard_status": 1}
    due = _first(store, "employees", **hire_only, conversion_status=1)
    converted = _first(store, "employees", **hire_only, conversion_status=2)
    synced = _synced_employee(store)
    convert = {
        "operation": 1,
        "conversion_info": {"actual_conversion_time": midnight_ms(build.today)},
    }
    early = {"operation": 1, "conversion_info": {"actual_conversion_time": due["onboard_time"] - 1}}
    rows: list[tuple[int, str, Any, str, dict[str, Any]]] = [
        (1002001, due["id"], convert, "injected fault", {"fault": _fault("A2", 1002001)}),
        (1002002, due["id"], {"operation": 1}, "conversion_info is missing", {}),
        (1002902, converted["id"], convert, "already converted", {}),
        (1002903, _UNKNOWN, convert, "no such employee", {}),
        (1002905, due["id"], early, "conversion before onboarding", {}),
        (1002907, due["id"], {"operation": 4}, "has not left", {}),
        (1002908, due["id"], convert, "switch off", {"settings": {"ehr_sync_switch": False}}),
        (1002910, synced["id"], convert, "is in CoreHR as well", {}),
    ]
    for code, employee, body, why, more in rows:
        _special(
            build,
            "A2",
            code,
            "PATCH",
            f"{_HIRE}/employees/{employee}",
            body,
            why,
            subject=employee,
            **more,
        )


def _synced_employee(store: Store) -> Record:
    for _, record in store.scan("employees"):
        if record["external_employment_id"]:
            return record
    raise LookupError("nobody is in both systems")


def _application_specials(build: Builder, store: Store) -> None:
    ready = _first(store, "applications", stage_type=6, active_status=1, lock_status=1)["id"]
    locked = _first(store, "applications", stage_type=6, lock_status=2)["id"]
    early = _first(store, "applications", stage_type=4, active_status=1)["id"]
    done = _first(store, "employees", onboard_status=1)["application_id"]
    far = {"actual_onboard_time": midnight_ms(build.today + timedelta(days=3650))}
    text = {"actual_onboard_time": str(midnight_ms(build.today))}
    rows: list[tuple[int, str, Any, str, dict[str, Any]]] = [
        (1002001, ready, {}, "injected fault", {"fault": _fault("A3", 1002001)}),
        (1002002, ready, text, "the time is a string", {}),
        (1002901, _UNKNOWN, {}, "no such application", {}),
        (1002902, early, {}, "stands at the interview stage", {}),
        (1002904, done, {}, "is an employee already", {}),
        (1002905, ready, far, "onboarding in the future", {}),
        (1002908, ready, {}, "switch off", {"settings": {"ehr_sync_switch": False}}),
        (1002210, locked, {}, "locked by another application", {}),
    ]
    for code, subject, body, why, more in rows:
        path = f"{_HIRE}/applications/{subject}/transfer_onboard"
        _special(build, "A3", code, "POST", path, body, why, subject=subject, **more)


def _pre_hire_specials(build: Builder, store: Store, lists: Catalogues) -> None:
    pre_hire = _first(store, "pre_hires", onboarding_status="preboarding")["id"]
    first, second, ending, inactive = (lists.cost_centers[n] for n in (0, 1, 2, 9))
    shares: list[tuple[int, list[tuple[str | None, int | None]], str]] = [
        (1161019, [(first, 50), (first, 50)], "the same cost center twice"),
        (1161020, [(first, 101)], "a share above 100"),
        (1161021, [(first, None)], "a share is missing"),
        (1161022, [(_UNKNOWN, 100)], "no such cost center"),
        (1161023, [(first, 60), (second, 30)], "shares add up to 90"),
        (1161024, [(inactive, 100)], "cost center 10 is deactivated"),
        (1161025, [(ending, 100)], "cost center 3 will be disabled"),
    ]
    path = f"/open-apis/corehr/v1/pre_hires/{pre_hire}"
    status = {"onboarding_status": {"enum_name": "preboarding"}}
    for code, rates, why in shares:
        items = [
            {"cost_center_id": c} if r is None else {"cost_center_id": c, "rate": r}
            for c, r in rates
        ]
        body = {**status, "cost_center_rate": items}
        _special(build, "A5", code, "PATCH", path, body, why, subject=pre_hire)
    fault = _fault("A5", 1160025)
    _special(
        build, "A5", 1160025, "PATCH", path, status, "injected fault", subject=pre_hire, fault=fault
    )


def _edit_record_specials(build: Builder, store: Store, lists: Catalogues, place: Place) -> None:
    """Each approved departure below hides one fact that stops an edit of its date."""
    today, ids = build.today, _DepartureMaker(build, lists, place)
    plain = ids.make()
    closing = _DepartureMaker(
        build, lists, Place(add_closing_department(build, place), *_rest(place))
    )
    soon, later = iso(today + timedelta(days=12)), iso(today + timedelta(days=25))
    dated: list[tuple[int, str, str, str]] = [
        (1160200, ids.make(job_changes=[_job_change(later, "approving")]), soon, "job change in approval"),
        (1160203, ids.make(contracts=[]), soon, "no contract"),
        (1160204, ids.make(contracts=[_contract("2015-01-01", ""), _contract(later, "")]), soon, "a later contract"),
        (1160205, ids.make(contracts=[_contract("2015-01-01", "", later)]), soon, "contract has an end date"),
        (1160300, closing.make(), later, "department disabled in 20 days"),
        (1160601, plain, "2001-01-01", "before onboarding"),
        (1160602, ids.make(probation_start=soon), iso(today), "before the probation start"),
        (1160603, ids.make(job_changes=[_job_change(soon, "effective")]), iso(today), "before a job change"),
        (1160607, ids.make(contracts=[_contract(soon, "")]), iso(today), "before the contract start"),
        (1160608, ids.make(contracts=[_contract("2015-01-01", soon)]), later, "after the contract end"),
        (1160610, ids.make(offboarding={"outside_data_scope": True}), soon, "outside the data scope"),
        (1160623, ids.make(status="Approving"), soon, "not approved yet"),
        (1160631, ids.make(left_on=today - timedelta(days=5)), soon, "has left"),
        (1161001, ids.make(offboarding={"change_in_approval": True}), soon, "a change is in approval"),
        (1161002, ids.make(offboarding={"withdrawal_in_approval": True}), soon, "a withdrawal is in approval"),
        (1160625, _UNKNOWN, soon, "no such record"),
    ]  # fmt: skip
    for code, offboarding, day, why in dated:
        _edit(build, code, offboarding, [("offboarding_date", day)], why)
    _edit_value_specials(build, plain)


def _rest(place: Place) -> tuple[str, str, str]:
    return place.manager, place.family, place.cost_center


def _job_change(day: str, status: str) -> dict[str, str]:
    return {"effective_on": day, "status": status}


def _contract(start: str, end: str, actual_end: str = "") -> dict[str, str]:
    return {"start": start, "end": end, "actual_end": actual_end}


class _DepartureMaker:
    """Makes departures of long-standing staff, each with hidden facts of its own."""

    def __init__(self, build: Builder, lists: Catalogues, place: Place) -> None:
        self._build, self._lists, self._place = build, lists, place

    def make(
        self, *, status: str = "Approved", offboarding: dict[str, Any] | None = None, **facts: Any
    ) -> str:
        left_on: date | None = facts.get("left_on")
        person, employment = add_staff(self._build, self._lists, self._place, **facts)
        days = -5 if left_on else 30
        return add_offboarding(
            self._build,
            employment,
            status=status,
            days=days,
            initiator=person.open_id,
            facts=offboarding,
        )


def _edit(
    build: Builder,
    code: int,
    offboarding: str,
    fields: list[tuple[str, str]],
    why: str,
    **more: Any,
) -> None:
    body = {
        "offboarding_id": offboarding,
        "update_data": [{"field_name": name, "value": value} for name, value in fields],
        **more.pop("body", {}),
    }
    _special(build, "A4", code, "POST", _EDIT, body, why, subject=offboarding, **more)


def _edit_value_specials(build: Builder, plain: str) -> None:
    rows: list[tuple[int, list[tuple[str, str]], str]] = [
        (1160102, [], "update_data is empty"),
        (1160304, [("noncompete_agreement_company", _UNKNOWN)], "no such company"),
        (1160604, [("reason_explanation", "长" * 6001)], "explanation too long"),
        (1160617, [("custom_field_8__c", "not a link")], "not a link"),
        (1160618, [("custom_field_1__c", "长" * 256)], "single line over 255"),
        (1160619, [("custom_field_5__c", "opt_none")], "no such option"),
        (1160630, [("custom_field_4__c", "1,5")], "not a number"),
        (1160636, [("custom_field_9__c", _UNKNOWN)], "no such person"),
        (1160637, [("custom_field_10__c", "[]")], "an attachment"),
        (1160638, [("custom_field_7__c", "2026-13-40")], "not a date"),
        (1160639, [("custom_field_3__c", "yes")], "not a boolean"),
        (
            1160700,
            [("noncompete_agreement_start_date", "2030-01-01")],
            "non-compete dates without an agreement",
        ),
        (1160710, [("add_block_list", "true")], "blocked without a reason"),
    ]
    for code, fields, why in rows:
        _edit(build, code, plain, fields, why)
    harmless = [("reason_explanation", "已补充说明")]
    unknown = {"operator_id": _UNKNOWN}
    _edit(build, 1160624, plain, harmless, "no such operator", body=unknown)
    for code in (1160103, 1161000):
        _edit(build, code, plain, harmless, "injected fault", fault=_fault("A4", code))
