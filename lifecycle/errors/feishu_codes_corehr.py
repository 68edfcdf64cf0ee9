"""Codes of the two CoreHR calls that change something.

Sources: the error tables of 编辑离职信息 (1161001 and 1161002 stand in its newer edition)
and 更新待入职信息(不推荐).
"""

from __future__ import annotations

from lifecycle.errors.feishu_code import VERIFY_EN, VERIFY_ZH, FeishuCode, Owner

OFFBOARDING = "POST /corehr/v2/offboardings/edit"
PRE_HIRE = "PATCH /corehr/v1/pre_hires/:pre_hire_id"

SYSTEM_ZH = "飞书人事内部出错，不能确定这次操作是否已经生效。"
SYSTEM_EN = "Feishu CoreHR had an internal error, so it is not certain whether this took effect."
CONTRACT_ZH = "请在 飞书人事 的员工档案中检查合同信息，更正后重新提交。"
CONTRACT_EN = (
    "Check the contracts in the employee's file in Feishu CoreHR, correct them and submit again."
)
DAY_AND_CONTRACT_ZH = "请核对离职日期和员工档案中的合同起止日期，更正后重新提交。"
DAY_AND_CONTRACT_EN = (
    "Compare the departure date with the contract in the employee's file in Feishu CoreHR,"
    " correct whichever is wrong and submit again."
)
SHARES_ZH = "请检查成本中心分摊，更正后重新提交。"
SHARES_EN = "Check the cost center split, correct it and submit again."
OTHER_CENTER_ZH = "请另选一个启用中的成本中心，然后重新提交。"
OTHER_CENTER_EN = "Choose another cost center that is in use, then submit again."


def _edit(
    code: int, zh: str, en: str, advice_zh: str, advice_en: str, owner: Owner = "hr"
) -> FeishuCode:
    return FeishuCode(OFFBOARDING, 400, code, zh, en, advice_zh, advice_en, owner)


def _split(code: int, zh: str, en: str, advice_zh: str, advice_en: str) -> FeishuCode:
    return FeishuCode(PRE_HIRE, 400, code, zh, en, advice_zh, advice_en, "hr")


COREHR_CODES: tuple[FeishuCode, ...] = (
    _edit(
        1160102,
        "飞书人事没有接受这次离职信息修改的内容。",
        "Feishu CoreHR did not accept the contents of this change to the departure.",
        "请检查所改的离职信息字段，并刷新页面确认离职记录仍然存在，然后重新提交。",
        "Check the fields you changed, reload the page to make sure the departure still exists,"
        " then submit again.",
    ),
    _edit(1160103, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    _edit(
        1160200,
        "该员工有一项异动正在审批中。",
        "A job change of this employee is still in approval.",
        "请先在 飞书人事 中撤销该异动，然后重新提交。",
        "Withdraw the job change in Feishu CoreHR first, then submit again.",
    ),
    _edit(
        1160203,
        "离职日期当天没有有效的合同。",
        "No contract is valid on the departure date.",
        DAY_AND_CONTRACT_ZH,
        DAY_AND_CONTRACT_EN,
    ),
    _edit(
        1160204,
        "该员工有一份将来才生效的合同。",
        "The employee has a contract that starts in the future.",
        CONTRACT_ZH,
        CONTRACT_EN,
    ),
    _edit(
        1160205,
        "该员工的合同已经填写了实际结束日期。",
        "The employee's contract already has an actual end date.",
        CONTRACT_ZH,
        CONTRACT_EN,
    ),
    _edit(
        1160300,
        "离职日期当天，该员工所在的部门已经停用。",
        "The employee's department is disabled on the departure date.",
        "请改选离职日期，或先在 飞书人事 中调整该员工的部门，然后重新提交。",
        "Choose another departure date, or move the employee to another department in"
        " Feishu CoreHR first. Then submit again.",
    ),
    _edit(
        1160304,
        "飞书人事中找不到所填的公司。",
        "Feishu CoreHR has no such company.",
        "请重新选择一家 飞书人事 中现有的公司，然后提交。",
        "Choose a company that exists in Feishu CoreHR and submit again.",
    ),
    _edit(
        1160601,
        "离职日期早于入职日期。",
        "The departure date is before the onboarding date.",
        "请选择入职日期之后的离职日期，然后重新提交。",
        "Choose a departure date after the onboarding date, then submit again.",
    ),
    _edit(
        1160602,
        "离职日期早于试用期开始日期。",
        "The departure date is before the probation starts.",
        "请核对试用期开始日期和离职日期，更正后重新提交。",
        "Compare the start of probation with the departure date, correct it and submit again.",
    ),
    _edit(
        1160603,
        "离职日期早于最近一次异动的生效日期。",
        "The departure date is before the last job change takes effect.",
        "请核对最近一次异动的生效日期，选择其后的离职日期再提交。",
        "Look up when the last job change takes effect, choose a later departure date and"
        " submit again.",
    ),
    _edit(
        1160604,
        "离职原因说明超过 6000 个字符。",
        "The explanation of the departure is longer than 6000 characters.",
        "请把离职原因说明缩短到 6000 个字符以内，然后重新提交。",
        "Shorten it to 6000 characters or fewer, then submit again.",
    ),
    _edit(
        1160607,
        "离职日期早于合同开始日期。",
        "The departure date is before the contract starts.",
        DAY_AND_CONTRACT_ZH,
        DAY_AND_CONTRACT_EN,
    ),
    _edit(
        1160608,
        "离职日期晚于合同结束日期。",
        "The departure date is after the contract ends.",
        DAY_AND_CONTRACT_ZH,
        DAY_AND_CONTRACT_EN,
    ),
    _edit(
        1160610,
        "应用没有权限编辑这名员工的离职信息。",
        "The app may not edit this employee's departure.",
        "请应用负责人在 开发者后台 → 权限管理 → 数据权限 → 飞书人事（企业版）数据权限 中，"
        "把该员工纳入“员工资源”范围并发布新版本，再由飞书管理员审核通过。",
        "Ask the owner of the app to include this employee in the employee resource scope under"
        " Developer console → Permissions → Data permissions → Feishu CoreHR (Enterprise) and to"
        " publish a new version, which the Feishu administrator then approves.",
        "app_owner",
    ),
    _edit(
        1160617,
        "超链接的格式不正确。",
        "The link is not well formed.",
        "请填写以 https:// 或 http:// 开头的完整网址，然后重新提交。",
        "Enter a full address that begins with https:// or http://, then submit again.",
    ),
    _edit(
        1160618,
        "填写的文字过长：单行最多 255 个字符，多行最多 6000 个字符。",
        "A text is too long: at most 255 characters on one line, 6000 on several.",
        "请缩短文字，然后重新提交。",
        "Shorten the text, then submit again.",
    ),
    _edit(
        1160619,
        "所选的选项在飞书人事中已不存在。",
        "The chosen option no longer exists in Feishu CoreHR.",
        "请刷新页面取得最新的选项，重新选择后提交。",
        "Reload the page to get the present options, choose again and submit.",
    ),
    _edit(
        1160623,
        "这条离职记录现在不能编辑，或所改的字段不允许编辑。",
        "This departure cannot be edited now, or one of the changed fields never can.",
        "请在 飞书人事 中确认离职流程已经审批通过，并只修改允许编辑的字段。",
        "Make sure in Feishu CoreHR that the departure is approved, and change only fields that"
        " can be edited.",
    ),
    _edit(
        1160624,
        "飞书人事中找不到操作人。",
        "Feishu CoreHR does not know the person who makes this change.",
        "请确认操作人在 飞书人事 中有在职记录；仍然失败时请联系应用负责人检查账号对应关系。",
        "Make sure that person is employed in Feishu CoreHR. If it still fails, ask the owner of"
        " the app to check how accounts are matched.",
        "app_owner",
    ),
    _edit(
        1160625,
        "飞书人事中找不到这条离职记录。",
        "Feishu CoreHR has no such departure.",
        "请刷新页面，确认离职没有被撤销或删除。",
        "Reload the page and make sure the departure has not been withdrawn or deleted.",
    ),
    _edit(
        1160630,
        "所填的数字格式不正确。",
        "A number is not well formed.",
        "请只填写数字和小数点，然后重新提交。",
        "Enter digits and a decimal point only, then submit again.",
    ),
    _edit(
        1160631,
        "该员工已经离职，或在飞书人事中不存在。",
        "The employee has already left, or does not exist in Feishu CoreHR.",
        "请刷新员工页面查看当前状态；离职生效后，离职信息不能再编辑。",
        "Reload the employee's page to see the present state. Once a departure has taken effect"
        " it can no longer be edited.",
    ),
    _edit(
        1160636,
        "自定义人员字段中所选的人员不存在。",
        "The person chosen in a custom field does not exist.",
        "请重新选择一名在职员工，然后提交。",
        "Choose an employed person and submit again.",
    ),
    _edit(
        1160637,
        "附件类型的字段不能在这里编辑。",
        "Attachments cannot be edited here.",
        "请去掉附件字段后重新提交，附件请在 飞书人事 中上传。",
        "Leave the attachment out and submit again. Upload it in Feishu CoreHR.",
    ),
    _edit(
        1160638,
        "所填的日期不存在，或写法不正确。",
        "A date does not exist or is not written as a date.",
        "请按“年-月-日”（例如 2026-03-31）填写日期，然后重新提交。",
        "Enter the date as year-month-day, for example 2026-03-31, then submit again.",
    ),
    _edit(
        1160639,
        "“是/否”一栏填写的既不是“是”，也不是“否”。",
        "A field that takes yes or no holds neither.",
        "请重新选择“是”或“否”，然后提交。",
        "Choose yes or no again and submit.",
    ),
    _edit(
        1160700,
        "竞业限制信息填写有误。",
        "The non-compete details are not acceptable.",
        "请检查竞业协议的公司、起止日期等内容，更正后重新提交。",
        "Check the company, the dates and the rest of the non-compete agreement, correct them and"
        " submit again.",
    ),
    _edit(
        1160710,
        "屏蔽名单信息填写有误。",
        "The block-list details are not acceptable.",
        "请一并检查“加入屏蔽名单”、屏蔽原因和屏蔽原因说明，更正后重新提交。",
        "Check the block-list choice, its reason and its explanation together, correct them and"
        " submit again.",
    ),
    _edit(
        1161000,
        "飞书人事返回了未知错误，不能确定这次修改是否已经生效。",
        "Feishu CoreHR answered with an unknown error, so it is not certain whether this took"
        " effect.",
        VERIFY_ZH,
        VERIFY_EN,
        "wait",
    ),
    _edit(
        1161001,
        "这条离职记录的变更正在审批中，暂时不能编辑。",
        "A change to this departure is in approval, so it cannot be edited now.",
        "请等待该审批结束，再重新提交。",
        "Wait until that approval is decided, then submit again.",
        "wait",
    ),
    _edit(
        1161002,
        "这条离职记录的撤销正在审批中，暂时不能编辑。",
        "A withdrawal of this departure is in approval, so it cannot be edited now.",
        "请等待该审批结束，再重新提交。",
        "Wait until that approval is decided, then submit again.",
        "wait",
    ),
    _split(
        1161019,
        "成本中心分摊中有重复的成本中心。",
        "The same cost center stands twice in the split.",
        SHARES_ZH,
        SHARES_EN,
    ),
    _split(
        1161020,
        "每个成本中心的分摊比例必须是 1 到 100 的整数。",
        "Each share of the cost center split has to be a whole number from 1 to 100.",
        SHARES_ZH,
        SHARES_EN,
    ),
    _split(
        1161021,
        "成本中心分摊不完整。",
        "The cost center split is incomplete.",
        "请为每一行都选择成本中心并填写比例，然后重新提交。",
        "Choose a cost center and enter a share on every line, then submit again.",
    ),
    _split(
        1161022,
        "飞书人事中找不到所选的成本中心。",
        "Feishu CoreHR has no such cost center.",
        OTHER_CENTER_ZH,
        OTHER_CENTER_EN,
    ),
    _split(
        1161023,
        "所有成本中心的分摊比例合计必须为 100%。",
        "The shares of all cost centers have to add up to 100 %.",
        SHARES_ZH,
        SHARES_EN,
    ),
    _split(
        1161024,
        "所选的成本中心已经停用。",
        "The chosen cost center is no longer in use.",
        OTHER_CENTER_ZH,
        OTHER_CENTER_EN,
    ),
    _split(
        1161025,
        "所选的成本中心即将停用。",
        "The chosen cost center is about to be closed.",
        OTHER_CENTER_ZH,
        OTHER_CENTER_EN,
    ),
    FeishuCode(
        PRE_HIRE,
        500,
        1160025,
        "飞书人事返回了没有说明含义的错误，不能确定这次修改是否已经生效。",
        "Feishu CoreHR answered with a code it does not explain, so it is not certain whether"
        " this took effect.",
        VERIFY_ZH,
        VERIFY_EN,
        "wait",
    ),
)
