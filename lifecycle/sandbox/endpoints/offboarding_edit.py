"""A4: edits an approved offboarding, all fields or none (whether Feishu's is all-or-nothing is not documented)."""

from typing import Any

from ..calls import USER_TYPES_CORE_HR, Call, Refusal
from ..id_forms import find_employment
from ..store import Record
from ..tenant import difference
from .field_values import check_value

_LONGEST_UPDATE = 10_000
_NONCOMPETE = (
    "noncompete_agreement_company",
    "noncompete_agreement_start_date",
    "noncompete_agreement_end_date",
)
_TOP_LEVEL = ("apply_initiating_time", "apply_finish_time")


def edit_offboarding(call: Call) -> dict[str, Any]:
    """A4. The body first, then the record, its people and its flow, then each value, then the rules over dates."""
    user_type = call.choice("user_id_type", USER_TYPES_CORE_HR, "people_corehr_id")
    offboarding_id, operator = call.body_text("offboarding_id"), call.body_text("operator_id")
    if not offboarding_id:
        raise call.bad("offboarding_id", "offboarding_id is required")
    updates = _updates(call)
    record = call.tenant.store.get("offboardings", offboarding_id)
    if record is None:
        raise Refusal(1160625)
    employment = _check_record(call, record, operator, user_type)
    for name, value in updates.items():
        check_value(call, name, value)
    if "offboarding_date" in updates:
        _check_departure(call, employment, updates["offboarding_date"])
    after = _edited(record, updates, call.now_ms)
    _check_noncompete(after["info"], updates)
    _check_block_list(after["info"], updates)
    call.tenant.store.put("offboardings", after)
    call.effect(
        "edit_offboarding",
        record["id"],
        *_flat_difference(record, after),
        related=(employment["id"],),
    )
    return {"data": [{"field_name": name, "value": value} for name, value in updates.items()]}


def _updates(call: Call) -> dict[str, str]:
    items = call.body.get("update_data")
    if not isinstance(items, list) or not 1 <= len(items) <= _LONGEST_UPDATE:
        raise call.bad("update_data", "update_data must be a list of 1 to 10000 fields")
    updates: dict[str, str] = {}
    for item in items:
        name, value = (
            (item.get("field_name"), item.get("value")) if isinstance(item, dict) else (None, None)
        )
        if not isinstance(name, str) or not name or not isinstance(value, str):
            raise call.bad("update_data", "field_name and value must be strings")
        updates[name] = value
    return updates


def _check_record(call: Call, record: Record, operator: str, user_type: str) -> Record:
    store, facts = call.tenant.store, record["facts"]
    if facts.get("outside_data_scope"):
        raise Refusal(1160610)
    if operator and find_employment(store, operator, user_type) is None:
        raise Refusal(1160624, field_name="operator_id", value=operator)
    employment = store.get("employments", record["employment_id"])
    if employment is None or employment["employment_status"] != "hired":
        raise Refusal(1160631)
    if record["status"] != "Approved":
        raise Refusal(1160623, f"the flow is {record['status']}")
    if facts.get("change_in_approval"):
        raise Refusal(1161001)
    if facts.get("withdrawal_in_approval"):
        raise Refusal(1161002)
    if any(change["status"] == "approving" for change in employment["facts"]["job_changes"]):
        raise Refusal(1160200)
    return employment


def _check_departure(call: Call, employment: Record, day: str) -> None:
    """The new departure date against the employment's own dates. ISO dates compare as text."""
    facts = employment["facts"]
    if day < employment["effective_date"]:
        raise Refusal(1160601)
    if day < facts.get("probation_start", employment["probation_start_date"]):
        raise Refusal(1160602)
    if any(day < change["effective_on"] for change in facts["job_changes"]):
        raise Refusal(1160603)
    _check_contracts(facts["contracts"], day)
    department = call.tenant.store.get("departments", employment["department"]) or {}
    disabled_on = department.get("disabled_on", "")
    if disabled_on and day >= disabled_on:
        raise Refusal(1160300)


def _check_contracts(contracts: list[dict[str, str]], day: str) -> None:
    if not contracts:
        raise Refusal(1160203)
    first, later = contracts[0], contracts[1:]
    if any(contract["start"] > day for contract in later):
        raise Refusal(1160204)
    if first["actual_end"]:
        raise Refusal(1160205)
    if day < first["start"]:
        raise Refusal(1160607)
    if first["end"] and day > first["end"]:
        raise Refusal(1160608)


def _edited(record: Record, updates: dict[str, str], now_ms: int) -> Record:
    info = {name: value for name, value in updates.items() if name in record["info"]}
    own = {name: value for name, value in updates.items() if name in _TOP_LEVEL}
    custom = {name: value for name, value in updates.items() if name.endswith("__c")}
    return {
        **record,
        **own,
        "info": {**record["info"], **info},
        "custom": {**record["custom"], **custom},
        "updated_ms": now_ms,
    }


def _check_noncompete(info: Record, updates: dict[str, str]) -> None:
    start, end = info["noncompete_agreement_start_date"], info["noncompete_agreement_end_date"]
    without_agreement = info["enforce_noncompete_agreement"] != "true" and any(
        updates.get(f) for f in _NONCOMPETE
    )
    if without_agreement or (start and end and end < start):
        raise Refusal(1160700)


def _check_block_list(info: Record, updates: dict[str, str]) -> None:
    """The rule O3 prints: a reason when somebody is blocked, none when not."""
    blocked = info["add_block_list"] == "true"
    if blocked and not info["block_reason"]:
        raise Refusal(1160710)
    if not blocked and (updates.get("block_reason") or updates.get("block_reason_explanation")):
        raise Refusal(1160710)


def _flat_difference(record: Record, after: Record) -> tuple[Record, Record]:
    def flat(whole: Record) -> Record:
        return {**{name: whole[name] for name in _TOP_LEVEL}, **whole["info"], **whole["custom"]}

    return difference(flat(record), flat(after))
