"""B1: the tenant token, the one answer without `data`."""

from typing import Any

from ..calls import Refusal
from ..tokens import Tokens


def tenant_access_token(tokens: Tokens, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refusal(10003, "the body must be a JSON object")
    token, expire = tokens.issue(body.get("app_id"), body.get("app_secret"))
    return {"code": 0, "msg": "ok", "tenant_access_token": token, "expire": expire}
