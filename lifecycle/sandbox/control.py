"""A small helper for tests and the demo: the control API of a running sandbox."""

import json
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))
_TIMEOUT_S = 60


class SandboxControl:
    """Every method is one call; failures raise `urllib.error.HTTPError`."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    def info(self) -> dict[str, Any]:
        return self._call("GET", "info")

    def reset(
        self, *, seed: int | None = None, people: int | None = None, today: str | None = None
    ) -> dict[str, Any]:
        """The first snapshot again, or another company; clears faults, the request log and used-up limits."""
        return self._call("POST", "reset", {"seed": seed, "people": people, "today": today})

    def options(self, **options: Any) -> dict[str, Any]:
        """rate_scale, search_lag_s, old_style_429, token_life_s, callback (url, encrypt_key,
        token)."""
        return self._call("POST", "options", options)

    def settings(self, **settings: Any) -> dict[str, Any]:
        """ehr_sync_switch, job_requirement_required, clock_offset_s."""
        return self.patch("settings", "tenant", **settings)

    def revoke_tokens(self) -> None:
        self._call("POST", "tokens/revoke", {})

    # -- what happened ----------------------------------------------------------------------------

    def requests(self, *, writes: bool = False, after: int = 0) -> list[dict[str, Any]]:
        """The last ones the sandbox remembers. `after`: only those whose "n" is higher."""
        return self._items("requests", writes=1 if writes else 0, after=after)

    def clear_requests(self) -> None:
        self._call("POST", "requests/clear", {})

    def effects(self, subject: str | None = None) -> list[dict[str, Any]]:
        return self._items("effects", **({} if subject is None else {"subject": subject}))

    def operations(self, subject: str | None = None) -> list[str]:
        """The words of the effects in order, such as ["convert"]."""
        return [effect["operation"] for effect in self.effects(subject)]

    def specials(self) -> dict[str, dict[str, Any]]:
        """A whole request per documented code, keyed "A2:1002902"."""
        return {special["id"]: special for special in self._items("specials")}

    # -- messages ---------------------------------------------------------------------------------

    def messages(self, receiver: str = "") -> list[dict[str, Any]]:
        """What was sent, the oldest first; `card` is the content as an object."""
        of_whom = {"receiver": receiver} if receiver else {}
        found = self._items("records/messages", limit=1000, **of_whom)
        return [{**message, "card": json.loads(message["content"])} for message in found]

    def press(
        self, message_id: str, name: str, *, open_id: str = "", form: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Press a button of a card, as its receiver unless `open_id` says otherwise: what the
        reader sees, as `{"error": code or 0, "toast": ..., "status": ...}`."""
        body = {"name": name, "open_id": open_id, "form": form}
        return self._call("POST", f"messages/{quote(message_id, safe='')}/press", body)

    # -- faults -----------------------------------------------------------------------------------

    def fault(self, kind: str, **options: Any) -> dict[str, Any]:
        """endpoint, method, path_prefix, on, times, after, delay_s, code, http_status, probability, applied, body."""
        return self._call("POST", "faults", {"kind": kind, **options})

    def storm(
        self, kinds: list[str], *, probability: float, seed: int, on: str = "writes", **options: Any
    ) -> None:
        """Each matching request goes wrong with this probability, in one of these ways."""
        self._call(
            "POST",
            "faults",
            {"kinds": kinds, "probability": probability, "seed": seed, "on": on, **options},
        )

    def faults(self) -> list[dict[str, Any]]:
        return self._items("faults")

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    # -- records ----------------------------------------------------------------------------------

    def record(self, kind: str, record_id: str) -> dict[str, Any]:
        return self._call("GET", f"records/{kind}/{quote(record_id, safe='')}")

    def records(self, kind: str, *, limit: int = 1000, **fields: Any) -> list[dict[str, Any]]:
        """Records whose fields have these values, in a stable order."""
        asked = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in fields.items()
        }
        return self._items(f"records/{kind}", limit=limit, **asked)

    def patch(self, kind: str, record_id: str, **changes: Any) -> dict[str, Any]:
        """A change in Feishu's own console."""
        return self._call("PATCH", f"records/{kind}/{quote(record_id, safe='')}", changes)

    def delete(self, kind: str, record_id: str) -> None:
        self._call("DELETE", f"records/{kind}/{quote(record_id, safe='')}")

    def _items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._call("GET", f"{path}?{urlencode(query)}")["items"]
        return items

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(  # noqa: S310 - the sandbox the caller started
            f"{self.base_url}/sandbox/{path}", data=data, headers=headers, method=method
        )
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            result: dict[str, Any] = json.load(answer)
        return result
