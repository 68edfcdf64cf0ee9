"""Every documented Feishu code in plain words: what happened, what to do, who can do it.

The rows stand in four tables, by the part of Feishu that answers. A row of the endpoint
itself wins over one that any endpoint can answer, because the same number can mean
different things on two endpoints.
"""

from __future__ import annotations

from lifecycle.errors.feishu_code import ANY_ENDPOINT, FeishuCode, Owner
from lifecycle.errors.feishu_codes_corehr import COREHR_CODES
from lifecycle.errors.feishu_codes_gateway import GATEWAY_CODES
from lifecycle.errors.feishu_codes_hire import HIRE_CODES
from lifecycle.errors.feishu_codes_im import IM_CODES

__all__ = ["ALL", "ANY_ENDPOINT", "FeishuCode", "Owner", "lookup"]

ALL: tuple[FeishuCode, ...] = HIRE_CODES + COREHR_CODES + GATEWAY_CODES + IM_CODES

_BY_KEY = {(row.endpoint_key, row.code): row for row in ALL}


def lookup(endpoint_key: str, code: int | None) -> FeishuCode | None:
    """The row for a code of this endpoint, None for a code Feishu does not document.

    `endpoint_key` is the form `PATCH /hire/v1/employees/:employee_id`.
    """
    if code is None:
        return None
    return _BY_KEY.get((endpoint_key, code)) or _BY_KEY.get((ANY_ENDPOINT, code))
