"""A5: updates a pre-hire. Only the cost centre split is checked; the page says so itself."""

from typing import Any

from ..calls import Call, Refusal
from ..store import Record
from ..tenant import difference
from .pre_hires import ABSENT, STATUSES, show_pre_hire

_TEXTS = ("ats_application_id", "hire_date", "worker_id", "employee_type_id", "person_id")
_FOREVER = "9999-12-31"


def patch_pre_hire(call: Call) -> dict[str, Any]:
    """A5. The same `client_token` is the same request: the first answer again, applied once.

    How long a token counts and what another body under it does is not documented: for ever, and nothing.
    """
    token = call.text("client_token")
    repeated = call.tenant.store.answer_for(token) if token else None
    if repeated is not None:
        return repeated
    changes = _changes(call)
    record = call.tenant.store.get("pre_hires", call.path_values["pre_hire_id"])
    if record is None:
        raise Refusal(ABSENT)
    if "cost_center_rate" in changes:
        _check_split(call, changes["cost_center_rate"])
    custom = {
        item["field_name"]: item
        for item in (*record["custom_fields"], *changes.pop("custom_fields", []))
    }
    after = {**record, **changes, "custom_fields": list(custom.values()), "updated_ms": call.now_ms}
    call.tenant.store.put("pre_hires", after)
    call.effect(
        "update_pre_hire",
        record["id"],
        *difference(record, after),
        related=(record["ats_application_id"],),
    )
    answer = {"pre_hire": show_pre_hire(after)}
    if token:
        call.tenant.store.keep_answer(token, answer)
    return answer


def _changes(call: Call) -> Record:
    """What the body sets; what it leaves out stays as it is (not documented for lists, natural)."""
    changes: Record = {
        name: call.body_text(name) for name in _TEXTS if call.body.get(name) is not None
    }
    employment_type = _enum_name(call, "employee_type")
    if employment_type is not None:
        changes["employment_type"] = employment_type
    status = _enum_name(call, "onboarding_status")
    if status is None:
        raise call.bad("onboarding_status", "onboarding_status is required")
    if status not in STATUSES:
        raise call.bad("onboarding_status", "unknown onboarding_status", status)
    changes["onboarding_status"] = status
    if call.body.get("custom_fields") is not None:
        changes["custom_fields"] = _custom_fields(call)
    if call.body.get("cost_center_rate") is not None:
        changes["cost_center_rate"] = call.body["cost_center_rate"]
    return changes


def _enum_name(call: Call, name: str) -> str | None:
    value = call.body_object(name)
    if value is None:
        return None
    enum_name = call.body_text("enum_name", value)
    if not enum_name:
        raise call.bad(name, f"{name}.enum_name is required")
    return enum_name


def _custom_fields(call: Call) -> list[dict[str, str]]:
    items = call.body["custom_fields"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise call.bad("custom_fields", "custom_fields must be a list of objects")
    for item in items:
        for name in ("field_name", "value"):
            if not isinstance(item.get(name), str):
                raise call.bad(f"custom_fields.{name}", f"custom_fields.{name} must be a string")
    return [{"field_name": item["field_name"], "value": item["value"]} for item in items]


def _check_split(call: Call, items: Any) -> None:
    """In the order of the error table. An empty list clears the split (not documented)."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise call.bad("cost_center_rate", "cost_center_rate must be a list of objects")
    ids = [item.get("cost_center_id") for item in items if item.get("cost_center_id")]
    rates = [item.get("rate") for item in items]
    if not all(isinstance(cost_center, str) for cost_center in ids):
        raise call.bad("cost_center_id", "cost_center_id must be a string")
    if len(set(ids)) < len(ids):
        raise Refusal(1161019)
    if any(rate is not None and not _is_share(rate) for rate in rates):
        raise Refusal(1161020)
    if len(ids) < len(items) or None in rates:
        raise Refusal(1161021)
    found = [call.tenant.store.get("cost_centers", cost_center) for cost_center in ids]
    known = [cost_center for cost_center in found if cost_center is not None]
    if len(known) < len(found):
        raise Refusal(1161022)
    if items and sum(rates) != 100:
        raise Refusal(1161023)
    if not all(cost_center["active"] for cost_center in known):
        raise Refusal(1161024)
    if any(cost_center["expiration_time"] != _FOREVER for cost_center in known):
        raise Refusal(1161025)


def _is_share(rate: Any) -> bool:
    return isinstance(rate, int) and not isinstance(rate, bool) and 1 <= rate <= 100
