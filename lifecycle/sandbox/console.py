"""The control API under /sandbox/: what tests and the demo do behind the tenant's back."""

import json
from datetime import date
from typing import Any
from urllib.parse import parse_qs, unquote

from . import phone
from .callbacks import Callback
from .gateway import Gateway
from .store import KINDS, Record
from .tenant import difference

_REPLY = tuple[int, Any]


class BadRequest(ValueError):
    """Shown as {"error": ...} with status 400."""


def answer(gateway: Gateway, method: str, target: str, raw: bytes) -> _REPLY:
    path, _, query = target.partition("?")
    parts = [unquote(part) for part in path.strip("/").split("/")][1:]
    asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    try:
        return _answer(gateway, method, parts, asked, _body(raw))
    except (ValueError, TypeError) as error:
        return 400, {"error": str(error)}


def _body(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be an object")
    return body


def _answer(
    gateway: Gateway, method: str, parts: list[str], asked: dict[str, str], body: dict[str, Any]
) -> _REPLY:
    match method, parts:
        case "GET", ["info"]:
            return 200, info(gateway)
        case "POST", ["reset"]:
            return 200, _reset(gateway, body)
        case "POST", ["options"]:
            return 200, _set_options(gateway, body)
        case "POST", ["tokens", "revoke"]:
            gateway.tokens.revoke_all()
            return 200, {}
        case "GET", ["requests"]:
            writes, after = asked.get("writes") == "1", int(asked.get("after", "0"))
            return 200, {"items": gateway.requests(writes=writes, after=after)}
        case "POST", ["requests", "clear"]:
            gateway.clear_requests()
            return 200, {}
        case "GET", ["effects"]:
            with gateway.tenant.lock:
                return 200, {"items": gateway.tenant.store.effects(asked.get("subject"))}
        case "GET", ["specials"]:
            with gateway.tenant.lock:
                return 200, {"items": gateway.tenant.store.all("specials")}
        case _, ["faults"]:
            return _faults(gateway, method, body)
        case "POST", ["messages", message_id, "press"]:
            return 200, phone.press(
                gateway.tenant,
                message_id,
                open_id=str(body.get("open_id", "")),
                name=str(body.get("name", "")),
                form=body.get("form"),
            )
        case _, ["records", kind, *rest] if kind in KINDS and len(rest) <= 1:
            with gateway.tenant.lock:
                return _records(gateway, method, kind, rest[0] if rest else None, asked, body)
    return 404, {"error": "no such control call"}


def info(gateway: Gateway) -> dict[str, Any]:
    tenant = gateway.tenant
    with tenant.lock:
        counts = {
            kind: tenant.store.count(kind) for kind in KINDS if kind not in ("settings", "specials")
        }
        settings = tenant.settings()
    return {
        "sandbox": True,
        "people": tenant.people,
        "seed": tenant.seed,
        "today": tenant.today.isoformat(),
        "app_id": gateway.tokens.app_id,
        "rate_scale": gateway.limits.scale,
        "search_lag_s": tenant.store.search_lag_s,
        "old_style_429": gateway.options.old_style_429,
        "late_pending": gateway.late_pending,
        "settings": settings,
        "counts": counts,
    }


def _reset(gateway: Gateway, body: dict[str, Any]) -> dict[str, Any]:
    """The first snapshot again, without faults, logged requests or used-up limits. Tokens stay valid."""
    try:
        today = date.fromisoformat(body["today"]) if body.get("today") else None
        seed, people = (
            None if body.get(name) is None else int(body[name]) for name in ("seed", "people")
        )
    except (TypeError, ValueError) as error:
        raise BadRequest(str(error)) from None
    with gateway.tenant.lock:
        gateway.generation += 1
        gateway.faults.clear()
        gateway.tenant.reset(seed=seed, people=people, today=today)
        gateway.clear_requests()
        gateway.limits.clear()
    tenant = gateway.tenant
    return {"seed": tenant.seed, "people": tenant.people, "today": tenant.today.isoformat()}


def _set_options(gateway: Gateway, body: dict[str, Any]) -> dict[str, Any]:
    known = {"rate_scale", "search_lag_s", "old_style_429", "token_life_s", "callback"}
    strange = sorted(set(body) - known)
    if strange:
        raise BadRequest(f"unknown option {strange[0]!r}; known: {', '.join(sorted(known))}")
    if "rate_scale" in body:
        gateway.limits.scale = float(body["rate_scale"])
        gateway.limits.clear()
    if "search_lag_s" in body:
        gateway.tenant.store.search_lag_s = float(body["search_lag_s"])
    if "old_style_429" in body:
        gateway.options.old_style_429 = bool(body["old_style_429"])
    if "callback" in body:
        gateway.tenant.callback = Callback(**body["callback"])
    if "token_life_s" in body:
        gateway.tokens.life_s = int(body["token_life_s"])
        gateway.tokens.revoke_all()
    return info(gateway)


def _faults(gateway: Gateway, method: str, body: dict[str, Any]) -> _REPLY:
    if method == "POST":
        return 200, gateway.faults.add(body)
    if method == "DELETE":
        gateway.faults.clear()
        return 200, {}
    return 200, {"items": gateway.faults.listed()}


# -- records --------------------------------------------------------------------------------------


def _records(
    gateway: Gateway,
    method: str,
    kind: str,
    record_id: str | None,
    asked: dict[str, str],
    body: dict[str, Any],
) -> _REPLY:
    if record_id is None:
        return (
            (200, _listed(gateway, kind, asked))
            if method == "GET"
            else (405, {"error": "only GET"})
        )
    record = gateway.tenant.store.get(kind, record_id)
    if record is None:
        return 404, {"error": f"no {record_id} in {kind}"}
    if method == "GET":
        return 200, record
    if method == "PATCH":
        return 200, _patched(gateway, kind, record, body)
    if method == "DELETE":
        _changed(gateway, kind, record, None)
        return 200, {}
    return 405, {"error": "GET, PATCH or DELETE"}


def _listed(gateway: Gateway, kind: str, asked: dict[str, str]) -> dict[str, Any]:
    """`limit`, `after` (a position), and any other name is a filter on a field of the record."""
    limit, after = int(asked.pop("limit", "100")), int(asked.pop("after", "0"))
    items: list[Record] = []
    last = after
    for position, record in gateway.tenant.store.scan(kind, after):
        if len(items) == limit:
            return {"items": items, "next": last}
        if all(_as_text(record.get(name)) == value for name, value in asked.items()):
            items.append(record)
        last = position
    return {"items": items, "next": None}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _patched(gateway: Gateway, kind: str, record: Record, body: dict[str, Any]) -> Record:
    """A change in Feishu's own console: nested objects are merged, everything else replaced."""
    if body.get("id", record["id"]) != record["id"]:
        raise BadRequest("an id cannot change")
    after = _consistent(gateway, kind, _merged(record, body), body)
    if "updated_ms" in record and "updated_ms" not in body:
        after["updated_ms"] = gateway.tenant.now_ms()
    _changed(gateway, kind, record, after)
    return after


def _merged(record: Record, body: dict[str, Any]) -> Record:
    merged = dict(record)
    for name, value in body.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


def _consistent(gateway: Gateway, kind: str, after: Record, body: dict[str, Any]) -> Record:
    """Two fields that say one thing follow each other, so a test needs to name one of them only."""
    if kind == "applications" and "stage_type" in body and "stage_id" not in body:
        process = gateway.tenant.store.get("job_processes", after["process_id"]) or {
            "stage_list": []
        }
        after["stage_id"] = _stage_id(process, after["stage_type"])
    if kind == "talents" and "state" in body:
        after["is_onboarded"] = after["state"] == "onboarded"
    elif kind == "talents" and "is_onboarded" in body:
        after["state"] = "onboarded" if after["is_onboarded"] else "none"
    return after


def _stage_id(process: Record, stage_type: Any) -> str:
    for stage in process["stage_list"]:
        if stage["type"] == stage_type:
            return str(stage["id"])
    raise BadRequest(f"no stage of type {stage_type!r}")


def _changed(gateway: Gateway, kind: str, record: Record, after: Record | None) -> None:
    tenant = gateway.tenant
    with tenant.store.transaction():
        if after is None:
            tenant.store.delete(kind, record["id"])
        else:
            tenant.store.put(kind, after)
        before_fields, after_fields = (record, None) if after is None else difference(record, after)
        tenant.record_effect(
            endpoint="console",
            operation="delete" if after is None else "edit",
            subject=record["id"],
            before=before_fields,
            after=after_fields,
            source="console",
            at_ms=tenant.now_ms(),
        )
