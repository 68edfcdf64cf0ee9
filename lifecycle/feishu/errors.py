"""What can go wrong on the way to Feishu and back, for reads and for building calls.

    FeishuError
    ├── InvalidCall            the call cannot be made from these values; nothing was sent
    │   ├── InvalidId          an id that is not 1 to 64 letters, digits, _, = or -
    │   └── InvalidValue       a value Feishu's page does not allow
    │       └── FieldNotEditable   one of the 24 offboarding fields Feishu keeps fixed
    ├── LimiterBusy            the published rate leaves no room soon enough; nothing was sent
    ├── NotSent                no connection came about; nothing was sent
    ├── NoAnswer               sent, but no answer that can be read came back
    └── Refused                Feishu answered with a code other than 0
        ├── Throttled          too many calls; wait `reset_after_s`
        ├── AuthRefused        the token or the app is not accepted
        └── ScopeMissing       the app lacks a permission; `scopes` and `links` say which

Writes do not raise these for what happens on the wire: `Client.send` answers with an
outcome. No message here carries a token, a payload or Feishu's free text.
"""

from __future__ import annotations

from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.envelope import Envelope


class FeishuError(Exception):
    """The root of the family."""


class InvalidCall(FeishuError, ValueError):
    """The call cannot be built from the values given."""


class InvalidId(InvalidCall):
    """An id that Feishu cannot have given out, or that would change the path."""


class InvalidValue(InvalidCall):
    """A value of the wrong JSON type or outside what Feishu's page allows."""


class FieldNotEditable(InvalidValue):
    """A field of an offboarding record that Feishu's page lists as not editable."""

    def __init__(self, field_name: str) -> None:
        super().__init__(f"The offboarding field {field_name} cannot be edited.")
        self.field_name = field_name


class LimiterBusy(FeishuError):
    """No call may leave within the time the caller was ready to wait."""

    def __init__(self, endpoint: Endpoint, retry_after_s: float) -> None:
        super().__init__(f"{endpoint.name} may be called again in {retry_after_s:.1f} s.")
        self.endpoint = endpoint
        self.retry_after_s = retry_after_s


class NotSent(FeishuError):
    """No connection to Feishu came about, so nothing was sent. `problem` is one word."""

    def __init__(self, endpoint: Endpoint, problem: str) -> None:
        super().__init__(f"{endpoint.name} was not sent: {problem}.")
        self.endpoint = endpoint
        self.problem = problem


class NoAnswer(FeishuError):
    """Silence, a broken answer or one that cannot be read. `problem` is one word."""

    def __init__(
        self,
        endpoint: Endpoint,
        problem: str,
        *,
        http_status: int | None = None,
        log_id: str | None = None,
    ) -> None:
        super().__init__(f"{endpoint.name} gave no readable answer: {problem} (log {log_id}).")
        self.endpoint = endpoint
        self.problem = problem
        self.http_status = http_status
        self.log_id = log_id


class Refused(FeishuError):
    """Feishu answered with a code other than 0."""

    def __init__(self, endpoint: Endpoint, envelope: Envelope) -> None:
        super().__init__(
            f"{endpoint.name} was refused with code {envelope.code}"
            f" (HTTP {envelope.http_status}, log {envelope.log_id})."
        )
        self.endpoint = endpoint
        self.envelope = envelope

    @property
    def code(self) -> int | None:
        return self.envelope.code

    @property
    def log_id(self) -> str | None:
        return self.envelope.log_id


class Throttled(Refused):
    """Too many calls."""

    @property
    def reset_after_s(self) -> float | None:
        """Seconds to wait by Feishu's header, None when it gave none."""
        return self.envelope.reset_after_s


class AuthRefused(Refused):
    """The token or the app itself is not accepted."""


class ScopeMissing(Refused):
    """The app lacks a permission, or the user has not granted it."""

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.envelope.missing_scopes

    @property
    def links(self) -> tuple[str, ...]:
        return self.envelope.scope_links
