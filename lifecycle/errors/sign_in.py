"""Why somebody was not signed in: stable codes, kept by the log, with words for the person.

The numbers are those of Feishu's pages for L2 (获取 user_access_token) and L4 (获取用户信息).
"""

from __future__ import annotations

from lifecycle.errors.problems import LifecycleError
from lifecycle.errors.words import Notice, Words


class SignInRefused(LifecycleError):
    """The portal signs nobody in. `feishu_code` and `log_id`: what Feishu said, if it did."""

    def __init__(
        self,
        code: str,
        *,
        feishu_code: int | None = None,
        log_id: str | None = None,
        open_id: str = "",
    ) -> None:
        super().__init__(SIGN_IN_NOTICES[code])
        self.http_status = STATUSES.get(code, 403)
        self.feishu_code = feishu_code
        self.log_id = log_id
        self.open_id = open_id


def _notice(code: str, zh: str, en: str, advice_zh: str, advice_en: str) -> Notice:
    return Notice(f"sign-in.{code}", Words(zh, en), Words(advice_zh, advice_en))


_NOTICES = (
    _notice(
        "password",
        "用户名与密码不匹配。",
        "The user name and the password do not match.",
        "请核对后重试。",
        "Check both and try again.",
    ),
    _notice(
        "wrong-code",
        "验证码不正确，或已经用过。",
        "This code is not right, or it has been used already.",
        "请等待身份验证器显示下一个验证码，并确认手机时间准确。",
        "Wait for the next code of the app, and make sure that the phone's clock is right.",
    ),
    _notice(
        "too-many",
        "尝试次数过多。",
        "Too many attempts.",
        "请等待 15 分钟后重试。",
        "Wait 15 minutes and try again.",
    ),
    _notice(
        "start-again",
        "这次飞书登录已经失效，或不是在这个浏览器中开始的。",
        "This sign-in with Feishu is too old, or it was not begun in this browser.",
        "请重新点击“用飞书登录”。",
        "Choose “Sign in with Feishu” once more.",
    ),
    _notice(
        "not-agreed",
        "您在飞书中没有同意登录。",
        "You did not agree to it in Feishu.",
        "如果要登录，请重新点击“用飞书登录”并同意授权。",
        "To sign in, choose “Sign in with Feishu” once more and agree.",
    ),
    _notice(
        "code-not-taken",
        "飞书没有接受这次登录：授权码已失效或已使用。",
        "Feishu did not accept this sign-in: its code is too old or has been used.",
        "请重新点击“用飞书登录”。",
        "Choose “Sign in with Feishu” once more.",
    ),
    _notice(
        "not-for-you",
        "您在飞书中没有使用此应用的权限。",
        "In Feishu you may not use this app.",
        "请管理员在飞书后台把您加入应用的可用范围。",
        "Ask an administrator to add you to those who may use the app in Feishu.",
    ),
    _notice(
        "account-over",
        "您的飞书账号已离职、被冻结或未激活。",
        "Your Feishu account has left, is frozen or is not activated.",
        "请联系飞书管理员。",
        "Ask whoever administers Feishu.",
    ),
    _notice(
        "wrong-set-up",
        "飞书登录的配置有误，飞书拒绝了本系统。",
        "Sign-in with Feishu is not set up rightly: Feishu refused the portal.",
        "请把错误码告诉系统管理员；也可以用密码登录。",
        "Tell the administrator the code; a password still works.",
    ),
    _notice(
        "silent",
        "飞书暂时没有给出可用的答复。",
        "Feishu gives no usable answer at the moment.",
        "请稍后重试；也可以用密码登录。",
        "Try again in a while; a password still works.",
    ),
    _notice(
        "other-tenant",
        "这个飞书账号不属于本公司。",
        "This Feishu account belongs to another company.",
        "请切换到本公司的飞书账号后重试。",
        "Change to your account of this company in Feishu and try again.",
    ),
    _notice(
        "unknown-person",
        "您的飞书账号还没有关联到本系统的用户。",
        "Your Feishu account is not linked to a user of this portal.",
        "请管理员为您开通，并提供下面的编号。",
        "Ask an administrator for access, and tell them the id below.",
    ),
    _notice(
        "several-users",
        "有不止一个用户关联了这个飞书账号，无法确定是哪一个。",
        "More than one user is linked to this Feishu account, so none is signed in.",
        "请管理员只保留一个关联，并提供下面的编号。",
        "Ask an administrator to keep one of the links, and tell them the id below.",
    ),
    _notice(
        "switched-off",
        "您的用户已停用。",
        "Your user is switched off.",
        "如果这是误操作，请联系管理员。",
        "If that is a mistake, ask an administrator.",
    ),
)  # fmt: skip
SIGN_IN_NOTICES: dict[str, Notice] = {notice.code: notice for notice in _NOTICES}

STATUSES: dict[str, int] = {
    "sign-in.start-again": 400,
    "sign-in.code-not-taken": 400,
    "sign-in.wrong-set-up": 502,
    "sign-in.silent": 503,
    "sign-in.wrong-code": 422,
    "sign-in.too-many": 429,
}

# What a refusal of Feishu means for the person who is waiting; any other number is the set-up.
BY_FEISHU_CODE: dict[int, str] = {
    **dict.fromkeys((20003, 20004, 20063, 20064, 20065), "sign-in.code-not-taken"),
    20010: "sign-in.not-for-you",
    **dict.fromkeys((20008, 20021, 20022, 20023, 20066), "sign-in.account-over"),
    **dict.fromkeys((20050, 20072), "sign-in.silent"),
}
