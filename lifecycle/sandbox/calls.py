"""One API call as the endpoints see it, and the two ways to answer it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tenant import Tenant

USER_TYPES = ("open_id", "union_id", "user_id")
USER_TYPES_CORE_HR = (*USER_TYPES, "people_corehr_id")
USER_TYPES_TALENT = (*USER_TYPES, "people_admin_id")
DEPARTMENT_TYPES_CORE_HR = ("open_department_id", "department_id", "people_corehr_department_id")
_INT64 = 2**63


class Refusal(Exception):
    """A business failure: the code decides the HTTP status through the documented table."""

    def __init__(
        self, code: int, description: str = "", *, field_name: str = "", value: str = ""
    ) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.field_name = field_name
        self.value = value


@dataclass(frozen=True)
class Endpoint:
    """One documented method and path. `limits` are (calls, seconds); `bad_parameter` its code for bad input."""

    key: str
    method: str
    path: str
    handler: "Callable[[Call], dict[str, Any]]"
    limits: tuple[tuple[int, float], ...]
    bad_parameter: int
    success: str = "success"
    writes: bool = False


@dataclass
class Call:
    tenant: "Tenant"
    endpoint: Endpoint
    path_values: dict[str, str]
    query: dict[str, list[str]]
    raw_body: Any = None
    now_ms: int = 0
    log_id: str = ""
    sent_body: bool = field(default=False)

    def bad(self, field_name: str, description: str = "", value: Any = "") -> Refusal:
        return Refusal(
            self.endpoint.bad_parameter,
            description or f"{field_name} is not acceptable",
            field_name=field_name,
            value=str(value),
        )

    # -- query ------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        return self.query.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        return [value for value in self.query.get(name, []) if value]

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.bad(name, f"{name} is required")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise self.bad(name, f"{name} must be one of {', '.join(allowed)}", value)
        return value

    def number(self, name: str, *, default: int | None, low: int, high: int) -> int:
        text = self.text(name)
        if not text and default is not None:
            return default
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise self.bad(name, f"{name} must be a whole number from {low} to {high}", text)
        return int(text)

    def moment_ms(self, name: str) -> int | None:
        """A time filter: a string of milliseconds."""
        text = self.text(name)
        if not text:
            return None
        if not text.isascii() or not text.isdigit():
            raise self.bad(name, f"{name} must be milliseconds in a string", text)
        return int(text)

    # -- body -------------------------------------------------------------------------------------

    @property
    def body(self) -> dict[str, Any]:
        if self.raw_body is None and not self.sent_body:
            return {}
        if not isinstance(self.raw_body, dict):
            raise self.bad("body", "the body must be a JSON object")
        return self.raw_body

    def body_text(self, name: str, holder: dict[str, Any] | None = None) -> str:
        value = (self.body if holder is None else holder).get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.bad(name, f"{name} must be a string", value)
        return value

    def body_int(self, name: str, holder: dict[str, Any] | None = None) -> int | None:
        """A JSON number without a fraction: no string, no true, nothing beyond int64."""
        value = (self.body if holder is None else holder).get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
            raise self.bad(name, f"{name} must be an int", value)
        return value

    def body_flag(self, name: str) -> bool | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.bad(name, f"{name} must be a boolean", value)
        return value

    def body_object(self, name: str) -> dict[str, Any] | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.bad(name, f"{name} must be an object", value)
        return value

    def body_texts(self, name: str, *, limit: int = 100) -> list[str]:
        value = self.body.get(name)
        if value is None:
            return []
        if (
            not isinstance(value, list)
            or len(value) > limit
            or not all(isinstance(v, str) for v in value)
        ):
            raise self.bad(name, f"{name} must be a list of at most {limit} strings")
        return value

    def effect(
        self,
        operation: str,
        subject: str,
        before: Any,
        after: Any,
        *,
        related: tuple[str, ...] = (),
    ) -> None:
        self.tenant.record_effect(
            endpoint=self.endpoint.key,
            operation=operation,
            subject=subject,
            before=before,
            after=after,
            source="api",
            related=related,
            at_ms=self.now_ms,
            log_id=self.log_id,
        )
