"""Codes that any endpoint can answer: the gateway's, and those all of Hire or CoreHR share.

Source: 通用错误码 (https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code)
and the general error lists of Hire and CoreHR.
"""

from __future__ import annotations

from lifecycle.errors.feishu_code import (
    ANY_ENDPOINT,
    VERIFY_EN,
    VERIFY_ZH,
    FeishuCode,
    Owner,
)

TOKEN_ZH = "飞书没有接受系统的访问凭证。"
TOKEN_EN = "Feishu did not accept the portal's credentials."
TOKEN_ADVICE_ZH = (
    "系统会自动换取新凭证并重试；如仍然失败，请应用负责人检查 App ID、App Secret 和应用状态。"
)
TOKEN_ADVICE_EN = (
    "The portal fetches new credentials and tries again. If it keeps failing, ask the owner of"
    " the app to check the App ID, the App Secret and whether the app is enabled."
)
DISABLED_ZH = "飞书应用已停用，或在本企业中不可用。"
DISABLED_EN = "The Feishu app is disabled or not available in this company."
DISABLED_ADVICE_ZH = "请飞书管理员在 飞书管理后台 → 工作台 → 应用管理 中启用该应用。"
DISABLED_ADVICE_EN = (
    "Ask the Feishu administrator to enable it under Feishu Admin → Workplace → App management."
)
PERSON_ZH = "飞书中找不到这次操作涉及的人员。"
PERSON_EN = "Feishu does not know one of the people in this request."
PERSON_ADVICE_ZH = "请重新选择直属上级、操作人等人员后提交；仍然失败时请联系应用负责人。"
PERSON_ADVICE_EN = (
    "Choose the manager and the other people again and submit. If it still fails, contact the"
    " owner of the app."
)
DEPARTMENT_ZH = "飞书中找不到所选的部门。"
DEPARTMENT_EN = "Feishu does not know the chosen department."
DEPARTMENT_ADVICE_ZH = "请刷新页面取得最新的部门列表，重新选择后提交。"
DEPARTMENT_ADVICE_EN = "Reload the page to get the present departments, choose again and submit."
CONTENT_ZH = "飞书没有接受这次请求的内容。"
CONTENT_EN = "Feishu did not accept the contents of this request."
CONTENT_ADVICE_ZH = "请检查所填的日期、人员和选项；内容都正确时，请把日志编号交给应用负责人。"
CONTENT_ADVICE_EN = (
    "Check the dates, people and options you entered. If they are all right, give the log id to"
    " the owner of the app."
)
SYSTEM_ZH = "飞书内部出错，不能确定这次操作是否已经生效。"
SYSTEM_EN = "Feishu had an internal error, so it is not certain whether this took effect."
BUSY_ZH = "调用飞书过于频繁，飞书要求稍后再试。"
BUSY_EN = "Feishu was called too often and asks to wait."
BUSY_ADVICE_ZH = "无需操作，系统会按飞书要求的时间等待后自动重试。"
BUSY_ADVICE_EN = "Nothing to do: the portal waits as long as Feishu asks and tries again."
TALENT_ADVICE_ZH = "请在 飞书招聘 → 人才库 中确认该人才没有被删除或合并，然后刷新本页面。"
TALENT_ADVICE_EN = (
    "Make sure in Feishu Hire → Talent pool that the talent has not been deleted or merged, then"
    " reload this page."
)


def _any(
    code: int,
    zh: str,
    en: str,
    advice_zh: str,
    advice_en: str,
    owner: Owner,
    http_status: int | None = None,
) -> FeishuCode:
    return FeishuCode(ANY_ENDPOINT, http_status, code, zh, en, advice_zh, advice_en, owner)


GATEWAY_CODES: tuple[FeishuCode, ...] = (
    _any(99991400, BUSY_ZH, BUSY_EN, BUSY_ADVICE_ZH, BUSY_ADVICE_EN, "wait", 429),
    _any(1161604, BUSY_ZH, BUSY_EN, BUSY_ADVICE_ZH, BUSY_ADVICE_EN, "wait", 429),
    _any(
        99991403,
        "本企业本月调用飞书的额度已经用完。",
        "The company's monthly quota of calls to Feishu is used up.",
        "请飞书管理员提升套餐中的接口调用额度，或等待下月；在此之前变更无法发送。",
        "Ask the Feishu administrator to raise the quota of calls in the plan, or wait for"
        " next month. Until then no change can be sent.",
        "feishu_admin",
    ),
    *(
        _any(code, TOKEN_ZH, TOKEN_EN, TOKEN_ADVICE_ZH, TOKEN_ADVICE_EN, "app_owner")
        for code in (
            99991661,
            99991663,
            99991664,
            99991665,
            99991666,
            99991667,
            99991668,
            99991669,
            99991671,
            99991677,
            99991543,
            10003,
            10005,
            10012,
            10013,
            10015,
        )
    ),
    *(
        _any(code, DISABLED_ZH, DISABLED_EN, DISABLED_ADVICE_ZH, DISABLED_ADVICE_EN, "feishu_admin")
        for code in (99991662, 99991673, 10014)
    ),
    *(
        _any(
            code,
            "飞书应用缺少这项操作所需的权限。",
            "The Feishu app lacks a permission this needs.",
            "请应用负责人在 开发者后台 → 权限管理 申请所列权限并发布新版本，"
            "再由飞书管理员审核通过。",
            "Ask the owner of the app to request the listed permissions under Developer console →"
            " Permissions and to publish a new version, which the Feishu administrator then"
            " approves.",
            "app_owner",
        )
        for code in (99991672, 99991676, 99991679)
    ),
    _any(
        99991401,
        "系统的网络地址不在飞书应用的 IP 白名单中。",
        "The portal's network address is not on the allow-list of the Feishu app.",
        "请应用负责人在 开发者后台 → 安全设置 → IP 白名单 中加入本系统的出口地址。",
        "Ask the owner of the app to add the portal's outgoing address under Developer console →"
        " Security settings → IP allow-list.",
        "app_owner",
    ),
    *(
        _any(code, PERSON_ZH, PERSON_EN, PERSON_ADVICE_ZH, PERSON_ADVICE_EN, "hr")
        for code in (99991675, 99992351, 99992360, 99992363, 99992364, 99992381)
    ),
    _any(
        99992361,
        "人员编号属于另一个飞书应用。",
        "A person's id belongs to another Feishu app.",
        "请应用负责人确认人员数据由当前应用同步而来，不要混用测试应用和正式应用。",
        "Ask the owner of the app to make sure the people were synced by this very app; test and"
        " production apps must not be mixed.",
        "app_owner",
    ),
    *(
        _any(code, DEPARTMENT_ZH, DEPARTMENT_EN, DEPARTMENT_ADVICE_ZH, DEPARTMENT_ADVICE_EN, "hr")
        for code in (99992379, 99992380)
    ),
    *(
        _any(
            code,
            "飞书没有这个接口地址。",
            "Feishu has no such address.",
            "请应用负责人检查系统设置中的飞书接口地址（飞书或 Lark）是否正确。",
            "Ask the owner of the app to check the address of Feishu (or Lark) in the portal's"
            " settings.",
            "app_owner",
        )
        for code in (99991201, 99991301)
    ),
    _any(9499, CONTENT_ZH, CONTENT_EN, CONTENT_ADVICE_ZH, CONTENT_ADVICE_EN, "hr"),
    _any(99992402, CONTENT_ZH, CONTENT_EN, CONTENT_ADVICE_ZH, CONTENT_ADVICE_EN, "hr"),
    _any(1002002, CONTENT_ZH, CONTENT_EN, CONTENT_ADVICE_ZH, CONTENT_ADVICE_EN, "hr", 400),
    _any(1160001, CONTENT_ZH, CONTENT_EN, CONTENT_ADVICE_ZH, CONTENT_ADVICE_EN, "hr"),
    _any(1160102, CONTENT_ZH, CONTENT_EN, CONTENT_ADVICE_ZH, CONTENT_ADVICE_EN, "hr"),
    _any(2200, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    _any(1002001, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait", 500),
    _any(1020001, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    _any(1160103, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    _any(1161000, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    _any(1161204, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait", 503),
    _any(
        1002102,
        "飞书招聘中找不到这名人才。",
        "Feishu Hire has no such talent.",
        TALENT_ADVICE_ZH,
        TALENT_ADVICE_EN,
        "hr",
    ),
    _any(
        1002103,
        "飞书招聘中该人才已是在职状态。",
        "Feishu Hire already shows the talent as employed.",
        "无需再次标记入职。请刷新本页面查看当前状态。",
        "There is no need to mark it again. Reload this page to see the present state.",
        "hr",
    ),
    _any(
        1002201,
        "飞书招聘中找不到这条投递。",
        "Feishu Hire has no such application.",
        "请在 飞书招聘 中确认该投递没有被删除，然后刷新本页面再试。",
        "Make sure in Feishu Hire that the application has not been deleted, then reload this"
        " page and try again.",
        "hr",
    ),
    _any(
        1002210,
        "该人才被另一条投递锁定。",
        "The talent is locked by another application.",
        "请在 飞书招聘 的人才详情页手动解锁，或等待锁定解除，然后重新提交。",
        "Unlock the talent by hand on the talent's page in Feishu Hire, or wait for the lock to"
        " end, then submit again.",
        "hr",
    ),
)
