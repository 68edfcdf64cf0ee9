"""What one Feishu code means to the person who meets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifecycle.errors.words import Words

Owner = Literal["hr", "feishu_admin", "app_owner", "wait"]

OWNERS: dict[Owner, Words] = {
    "hr": Words("HR", "HR"),
    "feishu_admin": Words("飞书管理员", "Feishu administrator"),
    "app_owner": Words("应用负责人", "Owner of the app"),
    "wait": Words("无需处理，等待即可", "Nobody: wait"),
}

ANY_ENDPOINT = "*"

# The advice wherever it is not certain whether something took effect.
VERIFY_ZH = (
    "请不要再次提交。系统会重新读取飞书中的记录来核实；如反复出现，请把日志编号交给飞书技术支持。"
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

    @property
    def sentence(self) -> Words:
        return Words(self.sentence_zh, self.sentence_en)

    @property
    def advice(self) -> Words:
        return Words(self.advice_zh, self.advice_en)

    @property
    def owner_words(self) -> Words:
        return OWNERS[self.owner]
