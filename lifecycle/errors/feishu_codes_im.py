"""Codes of the two calls that tell somebody something. Feishu uses these numbers nowhere else.

Sources: the error tables of 发送消息 and 更新已发送的消息卡片.
"""

from __future__ import annotations

from lifecycle.errors.feishu_code import ANY_ENDPOINT, FeishuCode, Owner

RANGE_ADVICE = (
    "请应用负责人在开发者后台把此人加入应用的可用范围并发布新版本，然后再次发送。",
    "Ask the owner of the app to include this person in the app's availability in the developer"
    " console and to publish a new version; then send the message again.",
)
OTHER_WAY = (
    "请用其他方式通知此人，或把审批改派给别人。",
    "Tell this person in another way, or give the decision to somebody else.",
)
TEXT_ADVICE = (
    "请用其他方式通知此人，并把日志编号交给应用负责人。",
    "Tell this person in another way, and give the log id to the owner of the app.",
)
NOT_NEEDED = (
    "无需处理：请等待，最新的状态以系统为准。",
    "Nothing to do: the portal shows how it stands.",
)

# Code, what happened (zh, en), what to do (zh, en), who can do it.
_ROWS: tuple[tuple[int, str, str, tuple[str, str], Owner], ...] = (
    (
        230001,
        "飞书没有接受这条消息的内容或接收人。",
        "Feishu did not accept the contents or the receiver of this message.",
        TEXT_ADVICE,
        "app_owner",
    ),
    (
        230006,
        "应用没有启用机器人能力，不能发送消息。",
        "The app has no bot, so it cannot send messages.",
        (
            "请应用负责人在开发者后台启用机器人能力并发布新版本，然后再次发送。",
            "Ask the owner of the app to switch on the bot in the developer console and to publish"
            " a new version; then send the message again.",
        ),
        "app_owner",
    ),
    (
        230011,
        "这条消息已被撤回，卡片不能再更新。",
        "This message was recalled, so its card cannot change any more.",
        NOT_NEEDED,
        "wait",
    ),
    (
        230013,
        "此人不在应用的可用范围内，或已离开公司，消息没有送达。",
        "This person is outside the app's availability, or has left; the message did not arrive.",
        RANGE_ADVICE,
        "app_owner",
    ),
    (
        230020,
        "发送消息太频繁，飞书要求稍后再发。",
        "Too many messages in a short time; Feishu asks to wait.",
        (
            "无需处理：请等待，消息会自动再次发送。",
            "Nothing to do: the message is sent again by itself.",
        ),
        "wait",
    ),
    (
        230022,
        "飞书认为消息含有敏感内容，没有发送。",
        "Feishu found sensitive content in the message and did not send it.",
        (
            "请检查 HR 写的说明，改写后重新发起；或用其他方式通知此人。",
            "Read the note by HR, word it differently and ask again; or tell this person in"
            " another way.",
        ),
        "hr",
    ),
    (
        230025,
        "消息太长，飞书没有发送。",
        "The message is too long, and Feishu did not send it.",
        TEXT_ADVICE,
        "app_owner",
    ),
    (
        230027,
        "应用缺少发送消息的权限。",
        "The app lacks the permission to send messages.",
        (
            "请应用负责人申请“以应用的身份发消息”权限并发布新版本，然后再次发送。",
            "Ask the owner of the app for the permission to send messages as the app, and to"
            " publish a new version; then send the message again.",
        ),
        "app_owner",
    ),
    (
        230028,
        "公司的内容审核没有放行这条消息。",
        "The company's own audit of contents did not let this message pass.",
        (
            "请飞书管理员查看审核规则，或用其他方式通知此人。",
            "Ask the Feishu administrator about the audit rules, or tell this person in another"
            " way.",
        ),
        "feishu_admin",
    ),
    (
        230029,
        "接收人已经离职，消息没有送达。",
        "The receiver has left the company; the message did not arrive.",
        ("请把审批改派给别人。", "Give the decision to somebody else."),
        "hr",
    ),
    (
        230031,
        "卡片发出已超过 14 天，不能再更新。",
        "The card is older than 14 days and cannot change any more.",
        NOT_NEEDED,
        "wait",
    ),
    (
        230034,
        "飞书中没有这个接收人。",
        "Feishu knows no such receiver.",
        (
            "请检查此人账号中的飞书 open id，或把审批改派给别人。",
            "Check the Feishu open id of this person's account, or give the decision to somebody"
            " else.",
        ),
        "hr",
    ),
    (
        230035,
        "应用没有权限向此人或此群发送消息。",
        "The app may not send messages to this person or group.",
        (
            "请应用负责人检查应用的可用范围；如是群，请把机器人加入该群。",
            "Ask the owner of the app to check its availability; for a group, add the bot to it.",
        ),
        "app_owner",
    ),
    (
        230038,
        "接收人属于另一家公司，不能发送。",
        "The receiver belongs to another company.",
        OTHER_WAY,
        "hr",
    ),
    (
        230049,
        "同一条消息正在发送。",
        "The same message is being sent in this moment.",
        (
            "无需处理：请等待，系统会确认它是否送达。",
            "Nothing to do: the portal finds out whether it has arrived.",
        ),
        "wait",
    ),
    (
        230053,
        "接收人屏蔽了机器人，消息没有送达。",
        "The receiver has blocked the bot; the message did not arrive.",
        (
            "请此人在飞书中解除对机器人的屏蔽，或用其他方式通知。",
            "Ask this person to unblock the bot in Feishu, or tell them in another way.",
        ),
        "hr",
    ),
    (
        230099,
        "飞书不能显示这张卡片，没有发送。",
        "Feishu cannot build this card, and did not send it.",
        TEXT_ADVICE,
        "app_owner",
    ),
    (
        230110,
        "这条消息已被删除，卡片不能再更新。",
        "This message was deleted, so its card cannot change any more.",
        NOT_NEEDED,
        "wait",
    ),
)

IM_CODES: tuple[FeishuCode, ...] = tuple(
    FeishuCode(ANY_ENDPOINT, 400, code, zh, en, *advice, owner)
    for code, zh, en, advice, owner in _ROWS
)
