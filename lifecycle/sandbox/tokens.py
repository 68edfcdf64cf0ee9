"""Tenant access tokens: up to two hours, the same one again while half an hour or more is left."""

import secrets
import threading
import time

from .calls import Refusal

_REISSUE_BELOW_S = 1800


class Tokens:
    def __init__(self, *, app_id: str, app_secret: str, life_s: int) -> None:
        self.app_id, self._app_secret, self.life_s = app_id, app_secret, life_s
        self._ends: dict[str, float] = {}
        self._newest = ""
        self._lock = threading.Lock()

    def issue(self, app_id: object, app_secret: object) -> tuple[str, int]:
        """The token and the seconds it has left."""
        if (
            not isinstance(app_id, str)
            or not isinstance(app_secret, str)
            or app_id != self.app_id
            or not app_secret
        ):
            raise Refusal(10003, "app_id or app_secret is missing or wrong")
        if app_secret != self._app_secret:
            raise Refusal(10015, "app secret is wrong")
        with self._lock:
            return self._current()

    def is_secret(self, app_secret: str) -> bool:
        return app_secret == self._app_secret

    def _current(self) -> tuple[str, int]:
        now = time.monotonic()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        left = self._ends.get(self._newest, 0.0) - now
        if left < _REISSUE_BELOW_S:
            self._newest = "t-" + secrets.token_hex(16)
            self._ends[self._newest] = now + self.life_s
            left = self.life_s
        return self._newest, round(left)

    def check(self, header: str | None) -> None:
        """Raises the gateway's refusal for a header that does not carry a live tenant token."""
        if not header:
            raise Refusal(99991661)
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or not token.startswith(("t-", "u-")):
            raise Refusal(99991671)
        if token.startswith("u-"):
            raise Refusal(99991668)
        with self._lock:
            if self._ends.get(token, 0.0) <= time.monotonic():
                raise Refusal(99991663)

    def revoke_all(self) -> None:
        with self._lock:
            self._ends.clear()
            self._newest = ""
