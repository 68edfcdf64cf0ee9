"""Codes of the three Hire calls that change something.

Sources: the error tables of 更新人才在职状态, 更新员工状态 and 操作候选人入职.
"""

from __future__ import annotations

from lifecycle.errors.feishu_code import VERIFY_EN, VERIFY_ZH, FeishuCode

TALENT = "POST /hire/v1/talents/:talent_id/onboard_status"
EMPLOYEE = "PATCH /hire/v1/employees/:employee_id"
ONBOARD = "POST /hire/v1/applications/:application_id/transfer_onboard"

SYSTEM_ZH = "飞书招聘内部出错，不能确定这次操作是否已经生效。"
SYSTEM_EN = "Feishu Hire had an internal error, so it is not certain whether this took effect."
SWITCH_ZH = "飞书招聘没有打开“通过 e-HR/OA 办公系统同步候选人入职、转正、离职事件”的开关。"
SWITCH_EN = (
    "The Feishu Hire switch that lets e-HR/OA systems sync onboarding, conversion and departure"
    " is off."
)
SWITCH_ADVICE_ZH = (
    "请飞书招聘管理员在 飞书招聘 → 设置 → 生态对接 → e-HR/OA办公系统 打开该开关，然后重新提交。"
)
SWITCH_ADVICE_EN = (
    "Ask the Feishu Hire administrator to turn it on under Feishu Hire → Settings → Ecosystem →"
    " e-HR/OA office system (飞书招聘 → 设置 → 生态对接 → e-HR/OA办公系统), then submit again."
)

HIRE_CODES: tuple[FeishuCode, ...] = (
    FeishuCode(TALENT, 500, 1002001, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    FeishuCode(
        TALENT,
        400,
        1002002,
        "飞书招聘没有接受对该人才的入职或离职标记。",
        "Feishu Hire did not accept marking this talent as onboarded or as left.",
        "请在 飞书招聘 → 人才库 → 人才详情页 查看该人才：已入职或已离职的人才不能再标记入职；"
        "再检查所填的入职或离职时间。",
        "Look at the talent in Feishu Hire → Talent pool → Talent details: someone already"
        " onboarded or left cannot be marked as onboarded. Then check the onboarding or"
        " departure time.",
        "hr",
    ),
    FeishuCode(EMPLOYEE, 500, 1002001, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    FeishuCode(
        EMPLOYEE,
        400,
        1002002,
        "飞书招聘没有接受这次员工状态变更的内容。",
        "Feishu Hire did not accept the contents of this employee status change.",
        "请检查转正日期、离职日期和离职原因后重新提交；内容都正确时，请联系应用负责人。",
        "Check the conversion date, the departure date and the reason, then submit again. If"
        " they are all right, contact the owner of the app.",
        "hr",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002902,
        "该员工当前的状态不允许这项操作。",
        "The employee's present state does not allow this.",
        "请刷新员工页面，按最新的入职和转正状态重新选择操作。",
        "Reload the employee's page and choose again by the present onboarding and conversion"
        " state.",
        "hr",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002903,
        "飞书招聘中找不到这名员工。",
        "Feishu Hire has no such employee.",
        "请在 飞书招聘 中打开该候选人的投递，确认已经入职；然后刷新本页面再试。",
        "Open the candidate's application in Feishu Hire and make sure the person is onboarded,"
        " then reload this page and try again.",
        "hr",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002905,
        "飞书招聘没有接受所填的转正日期或离职日期。",
        "Feishu Hire did not accept the conversion or departure date.",
        "请对照该员工的入职日期检查所填日期，更正后重新提交。",
        "Check the date against the employee's onboarding date, correct it and submit again.",
        "hr",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002907,
        "该员工的离职不能撤销。",
        "This employee's departure cannot be undone.",
        "只有已离职的员工才能撤销离职。请刷新员工页面，确认其当前是否为已离职。",
        "Only someone who has left can have the departure undone. Reload the employee's page"
        " and check that the person has left.",
        "hr",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002908,
        SWITCH_ZH,
        SWITCH_EN,
        SWITCH_ADVICE_ZH,
        SWITCH_ADVICE_EN,
        "feishu_admin",
    ),
    FeishuCode(
        EMPLOYEE,
        400,
        1002910,
        "该候选人已经同步到飞书人事，不能再在飞书招聘中变更状态。",
        "The candidate has been synced to Feishu CoreHR and can no longer be changed in Hire.",
        "请在 飞书人事（企业版） 中为该员工办理转正、离职或撤销。",
        "Do the conversion, departure or undo for this person in Feishu CoreHR (Enterprise).",
        "hr",
    ),
    FeishuCode(ONBOARD, 500, 1002001, SYSTEM_ZH, SYSTEM_EN, VERIFY_ZH, VERIFY_EN, "wait"),
    FeishuCode(
        ONBOARD,
        400,
        1002002,
        "飞书招聘没有接受这次入职所填的内容。",
        "Feishu Hire did not accept the contents of this onboarding.",
        "请检查办公地点、部门、直属上级、序列、职级、人员类型和招聘需求是否仍然有效，然后重新提交。",
        "Check that the office location, department, manager, job family, job level, employee"
        " type and job requirement still exist, then submit again.",
        "hr",
    ),
    FeishuCode(
        ONBOARD,
        404,
        1002901,
        "飞书招聘中找不到这条投递。",
        "Feishu Hire has no such application.",
        "请在 飞书招聘 中确认该投递没有被删除，然后刷新本页面再试。",
        "Make sure in Feishu Hire that the application has not been deleted, then reload this"
        " page and try again.",
        "hr",
    ),
    FeishuCode(
        ONBOARD,
        400,
        1002902,
        "这条投递不在“待入职”阶段，不能办理入职。",
        "The application is not at the pre-hire stage, so the candidate cannot be onboarded.",
        "请先在 飞书招聘 的投递详情中把投递转移到“待入职”阶段，然后重新提交。",
        "Move the application to the pre-hire stage in its details in Feishu Hire, then submit"
        " again.",
        "hr",
    ),
    FeishuCode(
        ONBOARD,
        400,
        1002904,
        "该候选人已经入职。",
        "The candidate is already onboarded.",
        "无需再次办理入职。请刷新本页面查看员工记录。",
        "There is no need to onboard again. Reload this page to see the employee's record.",
        "hr",
    ),
    FeishuCode(
        ONBOARD,
        400,
        1002905,
        "飞书招聘没有接受所填的入职日期或预计转正日期。",
        "Feishu Hire did not accept the onboarding date or the expected conversion date.",
        "入职日期不能晚于现在。请检查入职日期和预计转正日期，更正后重新提交。",
        "The onboarding date may not lie in the future. Check it and the expected conversion"
        " date, correct them and submit again.",
        "hr",
    ),
    FeishuCode(
        ONBOARD,
        500,
        1002908,
        SWITCH_ZH,
        SWITCH_EN,
        SWITCH_ADVICE_ZH,
        SWITCH_ADVICE_EN,
        "feishu_admin",
    ),
    FeishuCode(
        ONBOARD,
        500,
        1002210,
        "该人才被另一条投递锁定，不能办理入职。",
        "The talent is locked by another application, so onboarding is not possible.",
        "请在 飞书招聘 的人才详情页手动解锁，或等待锁定解除，然后重新提交。",
        "Unlock the talent by hand on the talent's page in Feishu Hire, or wait for the lock to"
        " end, then submit again.",
        "hr",
    ),
)
