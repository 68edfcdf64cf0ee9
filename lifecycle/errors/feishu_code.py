"""What one Feishu code means to the person who meets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["hr", "feishu_admin", "app_owner", "wait"]

ANY_ENDPOINT = "*"

# The advice wherever it is not certain whether something took effect.
VERIFY_ZH = (
    "请不要再次提交。系统会回读飞书中的记录来核实；如反复出现，请把日志编号交给飞书技术支持。"
)
VERIFY_EN = (
    "Do not submit it again. The portal reads the record in Feishu to find out; if this keeps"
    " happening, give the log id to Feishu support."
)


@dataclass(frozen=True, slots=True)
class FeishuCode:
    """One code of one endpoint, in the words of HR.

    `endpoint_key` is the method and path, or `*` for codes any endpoint can answer.
    `http_status` is None where Feishu does not say. `owner` is who can do something about
    it: HR, the administrator of Feishu, the owner of the app, or nobody but time.
    """

    endpoint_key: str
    http_status: int | None
    code: int
    sentence_zh: str
    sentence_en: str
    advice_zh: str
    advice_en: str
    owner: Owner
