"""What can go wrong for a person using the portal, each with its words and its HTTP status.

    LifecycleError
    ├── NotAllowed            403  the role or the scope does not reach this far
    ├── NotFound              404  no such record within the person's reach
    ├── FormNotOurs           403  a form that was not sent from a page of ours
    ├── ReasonMissing         422  a role or a setting is changed without saying why
    ├── StepNotAllowed        409  somebody else moved the change first
    ├── StalePlan             409  the facts or the form changed since the plan was shown
    ├── ChangeBlocked         422  the plan has blockers
    ├── InvalidValues         422  the request cannot be built from these values
    ├── VerdictRefused        422  a verdict on one's own change, or without a reason
    ├── HoldInForce           409  a legal hold keeps what was to be erased
    ├── GuardRefused     409, 422  all writes are stopped already, or a reason is missing
    ├── ApprovalRefused       422  an approval of one's own change, or no reason to reject it
    ├── RequestRefused   409, 422  a decision of a leader that cannot be taken or asked for
    ├── MessageRefused        409  a message that cannot be sent again
    ├── CardRefused           422  a press of a button that comes to nothing
    ├── ApprovalVoid          409  the facts or the time for an approval have passed
    └── FeishuUnreadable      503  Feishu gave no usable answer to a read

Codes are stable: the log keeps them and the screens look them up in NOTICES.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from lifecycle.errors.words import Notice, Words


class LifecycleError(Exception):
    """The root of the family. `notice` says it to a person; whose record it was about is for
    the action log only."""

    http_status = 422
    person_id: int | None = None
    change_id: int | None = None

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.code)
        self.notice = notice

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All there is to say, the first thing first."""
        return (self.notice,)

    def about(self, *, person_id: int | None, change_id: int | None = None) -> Self:
        """The same error, with the person and the status change that somebody asked about."""
        self.person_id, self.change_id = person_id, change_id
        return self


def _notice(code: str, zh: str, en: str, advice_zh: str, advice_en: str) -> Notice:
    return Notice(code, Words(zh, en), Words(advice_zh, advice_en))


# Why a change waits, failed, or needs a person; also used as the word in StatusChange.problem.
NOTICES: dict[str, Notice] = {
    notice.code: notice
    for notice in (
        _notice(
            "change.step-not-allowed",
            "这项变更的状态已经改变，刚才的操作没有执行。",
            "This change has moved on; what you asked for was not done.",
            "请刷新页面：可能已有人先处理了。",
            "Reload the page: somebody may have dealt with it first.",
        ),
        _notice(
            "change.stale-plan",
            "您确认的内容已经过期：表单或飞书中的信息在此期间有变化，没有提交任何内容。",
            "What you confirmed is out of date: the form or the facts in Feishu have changed"
            " meanwhile. Nothing was submitted.",
            "请查看下面的最新预览，确认无误后再提交。",
            "Read the fresh plan below and confirm it if it is still right.",
        ),
        _notice(
            "change.blocked",
            "这项变更现在不能提交，没有向飞书发送任何内容。",
            "This change cannot be submitted now. Nothing was sent to Feishu.",
            "请先处理下面列出的每一项。",
            "Deal with each point listed below first.",
        ),
        _notice(
            "change.invalid-values",
            "填写的内容无法组成飞书接受的请求，没有发送任何内容。",
            "No request Feishu accepts can be made from these values. Nothing was sent.",
            "请检查日期和填写的内容。",
            "Check the dates and what you have typed.",
        ),
        _notice(
            "person.not-allowed",
            "您没有权限执行此操作。",
            "You may not do this.",
            "如果这属于您的工作，请联系管理员调整角色或范围。",
            "If it is part of your work, ask an administrator about your role.",
        ),
        _notice(
            "person.not-found",
            "没有找到这条记录，或它不在您的可见范围内。",
            "There is no such record, or it is outside what you may see.",
            "请从列表重新进入。",
            "Start again from the list.",
        ),
        _notice(
            "person.reason-missing",
            "请写明原因，没有做任何更改。",
            "Give a reason. Nothing was changed.",
            "原因会保存在操作日志中。",
            "It is kept in the action log.",
        ),
        _notice(
            "person.form-not-ours",
            "这个表单不是从当前打开的页面提交的，什么也没有执行。",
            "This form was not sent from a page that is still good; nothing was done.",
            "请刷新页面后再试；如已退出登录，请先登录。",
            "Reload the page and try again; if you were signed out, sign in first.",
        ),
        _notice(
            "verdict.own-request",
            "发起人不能裁定自己的变更。",
            "Whoever asked for a change cannot decide its outcome.",
            "请让另一位 HR 同事核实并裁定。",
            "Ask another HR colleague to check and decide.",
        ),
        _notice(
            "verdict.reason-missing",
            "请写明裁定的依据。",
            "Say what your decision rests on.",
            "例如：在飞书招聘后台看到的状态和日期。",
            "For example what you saw in Feishu's own console, with its date.",
        ),
        _notice(
            "guard.writes-stopped",
            "向飞书写入已被停止，这项变更在等待，没有发送。",
            "Writing to Feishu is stopped; this change waits and has not been sent.",
            "管理员恢复写入后，它会按顺序自动继续。",
            "It goes on by itself, in its order, once an administrator lets writing go on.",
        ),
        _notice(
            "guard.daily-limit",
            "今天的数量已达上限，需要由第二人确认后才会发送到飞书。",
            "Today's limit is reached: a second person has to confirm it before it is sent to"
            " Feishu.",
            "请另一位 HR 同事在“状态变更 → 待第二人确认”中确认或驳回。",
            "Ask another HR colleague to confirm or reject it under “Awaiting a second person”.",
        ),
        _notice(
            "log.hold-in-force",
            "这名人员的记录处于保全之中，没有删除任何内容。",
            "The entries of this person are under a legal hold; nothing was erased.",
            "请审计人员先解除保全。",
            "Ask an auditor to release the hold first.",
        ),
        _notice(
            "guard.reason-missing",
            "请写明原因。",
            "Give a reason.",
            "原因会显示给同事，并保存在操作日志中。",
            "Your colleagues see it, and it is kept in the action log.",
        ),
        _notice(
            "guard.already-stopped",
            "向飞书写入已经是停止状态，没有再做更改。",
            "Writing to Feishu is stopped already; nothing was changed.",
            "请刷新页面查看是谁、因何停止。",
            "Reload the page to see who stopped it and why.",
        ),
        _notice(
            "guard.not-stopped",
            "向飞书写入没有停止，无需恢复。",
            "Writing to Feishu is not stopped; there is nothing to let go on.",
            "请刷新页面：可能已有人先恢复了。",
            "Reload the page: somebody may have done it first.",
        ),
        _notice(
            "approval.own-request",
            "发起人不能确认或驳回自己发起的变更。",
            "Whoever asked for a change cannot confirm or reject it as a second person.",
            "请让另一位 HR 同事处理；您可以取消它。",
            "Ask another HR colleague; you can cancel it.",
        ),
        _notice(
            "approval.reason-missing",
            "请写明驳回的原因。",
            "Say why you reject it.",
            "发起人会看到这个原因。",
            "Whoever asked for it will read this.",
        ),
        _notice(
            "approval.facts-changed",
            "等待确认期间，飞书中的信息发生了变化，这项变更已作废，没有发送。",
            "The facts in Feishu changed while it awaited a second person, so this change is void."
            " Nothing was sent.",
            "如仍需要，请按最新信息重新发起。",
            "If it is still wanted, ask for it again on the present facts.",
        ),
        _notice(
            "approval.too-late",
            "生效日期已过且一直没有第二人确认，这项变更已作废，没有发送。",
            "Its day passed and no second person had confirmed it, so this change is void. Nothing"
            " was sent.",
            "如仍需要，请重新发起。",
            "If it is still wanted, ask for it again.",
        ),
        _notice(
            "approval.leader",
            "转正需要由上级决定。",
            "The leader has to decide on this conversion.",
            "上级会在“待我审批”中看到它。",
            "The leader finds it in the inbox.",
        ),
        _notice(
            "request.day-fixed",
            "前面的审批人已同意在另一天转正，这一步只能同意同一天。",
            "Those before you have agreed to another day; at this step it can only be that one.",
            "请同意原日期，或选择延长、不予转正，由 HR 重新发起。",
            "Agree to that day, or extend or decline; HR can then ask again.",
        ),
        _notice(
            "message.refused",
            "飞书没有接受这条消息，它没有送达。",
            "Feishu did not accept this message; it was not delivered.",
            "请按飞书代码的说明处理，然后再次发送。",
            "Deal with what Feishu's code says, then send it again.",
        ),
        _notice(
            "message.no-answer",
            "多次发送都没有得到飞书的明确答复，不能确定消息是否送达。",
            "Feishu gave no clear answer to several attempts; it is not certain that the message"
            " has arrived.",
            "请询问接收人；没有收到时再次发送。",
            "Ask the receiver; send it again if it has not arrived.",
        ),
        _notice(
            "message.not-sent",
            "长时间无法连接飞书，消息没有发出。",
            "Feishu could not be reached for a long time; the message was not sent.",
            "请先在同步页确认飞书已恢复，然后再次发送。",
            "See on the sync page that Feishu answers again, then send it again.",
        ),
        _notice(
            "message.no-address",
            "此人的账号没有飞书 open id，也没有邮箱，无法通知。",
            "The account has neither a Feishu open id nor an e-mail address.",
            "请管理员补上其中一项，然后再次发送；或把审批改派给别人。",
            "Ask an administrator to add one, then send it again; or give the decision to"
            " somebody else.",
        ),
        _notice(
            "message.not-again",
            "这条消息现在不需要再次发送。",
            "There is no need to send this message again now.",
            "请刷新页面：可能已有人处理，或审批已有结果。",
            "Reload the page: somebody may have dealt with it, or the request is decided.",
        ),
        _notice(
            "card.unknown-person",
            "您在门户中没有可用的账号，不能在此决定。",
            "You have no account in the portal that could decide here.",
            "请联系 HR。",
            "Ask HR.",
        ),
        _notice(
            "card.unknown",
            "门户不认识这张卡片。",
            "The portal does not know this card.",
            "请在门户的“待我审批”中查看。",
            "See “Awaiting my decision” in the portal.",
        ),
        _notice(
            "card.taken-already",
            "这次点击已经处理过。",
            "This press of the button has been dealt with already.",
            "无需再做什么。",
            "Nothing more is needed.",
        ),
        _notice(
            "request.not-open",
            "这项转正审批已经处理过了，刚才的操作没有执行。",
            "This request has been dealt with already; what you asked for was not done.",
            "请刷新页面查看结果。",
            "Reload the page to see how it ended.",
        ),
        _notice(
            "request.facts-changed",
            "飞书中的信息在审批期间有变化，原审批已作废，没有向飞书发送任何内容；已按最新信息重新发起。",
            "The facts in Feishu changed meanwhile. This request is void, nothing was sent to"
            " Feishu, and it has been asked again on the present facts.",
            "请查看新的待审批事项后再决定。",
            "Look at the new request and decide on that one.",
        ),
        _notice(
            "request.overtaken",
            "该员工已不在试用期，这项审批已作废，没有向飞书发送任何内容。",
            "This employee is no longer on probation; the request is void and nothing was sent to"
            " Feishu.",
            "无需操作。",
            "Nothing needs to be done.",
        ),
        _notice(
            "request.reason-missing",
            "请写明原因。",
            "Give a reason.",
            "HR 会看到这个原因，并保存在操作日志中。",
            "HR reads it, and it is kept in the action log.",
        ),
        _notice(
            "request.bad-day",
            "延长后的日期必须晚于今天和当前的预计转正日期。",
            "The new day has to be later than today and than the day expected so far.",
            "请选择更晚的日期。",
            "Choose a later day.",
        ),
        _notice(
            "request.unfit-approver",
            "不能把这项审批交给这个人。",
            "This request cannot be given to that person.",
            "审批人须有管理者账号，且不能是发起人或员工本人。",
            "It has to be a manager with an account here, neither who asked nor the employee.",
        ),
        _notice(
            "request.in-core-hr",
            "该员工已同步到飞书人事，请在飞书人事中办理转正。",
            "This employee is in Feishu CoreHR; the conversion is made there.",
            "办理后，这项审批会自动关闭。",
            "The request closes by itself once that is done.",
        ),
        _notice(
            "request.bad-delegation",
            "委托没有保存：请选择另一位管理者，且结束日期不早于开始日期和今天。",
            "The delegation was not saved: choose another manager, and an end that is neither"
            " before the start nor in the past.",
            "请检查人员和日期。",
            "Check the person and the days.",
        ),
        _notice(
            "portal.database-away",
            "系统暂时连不上自己的数据库，这一页现在打不开。",
            "The portal cannot get at its own database right now, so this page cannot be shown.",
            "请稍后再试。已保存的内容不会丢失，恢复后一切自动继续。",
            "Try again in a moment. What was saved is not lost, and work goes on by itself.",
        ),
        _notice(
            "portal.database-away-change",
            "系统暂时连不上自己的数据库，无法确认您提交的变更是否已经记录。",
            "The portal cannot get at its own database right now, so it cannot tell whether the"
            " change you confirmed was taken.",
            "它要么已完整记录，要么完全没有。您填写的内容还在：请稍后再次提交同一份表单。"
            "同一份表单就是同一项变更，不会重复。",
            "It was taken whole or not at all. What you typed is still here: send the same form"
            " again in a moment. The same form is the same change and is never taken twice.",
        ),
        _notice(
            "portal.database-away-step",
            "系统暂时连不上自己的数据库，无法确认刚才的操作是否已经完成。",
            "The portal cannot get at its own database right now, so it cannot tell whether what"
            " you just did was taken.",
            "它要么已完整完成，要么完全没有。您填写的内容还在：恢复后请先查看是否已经生效，再决定是否重复。",
            "It was taken whole or not at all. What you typed is still here: once the portal"
            " answers again, look whether it was taken before you repeat it.",
        ),
        _notice(
            "feishu.unreadable",
            "暂时无法从飞书读取最新信息。",
            "Feishu's present facts cannot be read right now.",
            "系统会自动重试，您不需要重复提交。",
            "The portal tries again by itself; there is no need to submit again.",
        ),
        _notice(
            "feishu.busy",
            "飞书的调用频率已到上限，稍后自动继续。",
            "Feishu's rate limit is used up; this goes on by itself in a moment.",
            "无需操作。",
            "Nothing needs to be done.",
        ),
        _notice(
            "feishu.throttled",
            "飞书要求稍后再发，将按其指定的时间重试；这不算一次失败。",
            "Feishu asked to wait; it is sent again after the time Feishu named. This is not a"
            " failure.",
            "无需操作。",
            "Nothing needs to be done.",
        ),
        _notice(
            "feishu.auth",
            "飞书没有接受应用的登录凭证，正在更新后重试。",
            "Feishu did not accept the app's sign-in; it is renewed and tried again.",
            "如持续出现，请联系飞书应用负责人检查应用凭证。",
            "If this goes on, ask the owner of the Feishu app to check its credentials.",
        ),
        _notice(
            "feishu.not-sent",
            "没有连上飞书，请求没有发出，稍后重试。",
            "No connection to Feishu came about; nothing was sent. It is tried again shortly.",
            "无需操作。",
            "Nothing needs to be done.",
        ),
        _notice(
            "feishu.silent",
            "请求已发出，但没有收到明确的答复；正在回读飞书核实是否生效。",
            "The request was sent but no clear answer came back. The portal is reading the"
            " record in Feishu to find out whether it took effect.",
            "请不要再次提交，也不要在飞书后台手工操作。",
            "Do not submit it again, and do not do it by hand in Feishu.",
        ),
        _notice(
            "feishu.refused",
            "飞书拒绝了这项变更，没有生效。",
            "Feishu refused this change; it did not take effect.",
            "请查看下面的原因和处理建议。",
            "See the reason and the advice below.",
        ),
        _notice(
            "feishu.record-missing",
            "飞书中已找不到这条记录，没有发送任何内容。",
            "Feishu no longer has this record. Nothing was sent.",
            "请在飞书中核实此人的情况。",
            "Look the person up in Feishu.",
        ),
        _notice(
            "change.earlier-first",
            "同一员工有更早的变更尚未完成，需按顺序执行。",
            "An earlier change for the same person is not finished; they are done in order.",
            "无需操作，前一项完成后自动继续。",
            "Nothing needs to be done; this goes on when the earlier one is finished.",
        ),
        _notice(
            "change.stale-facts",
            "飞书中的信息在确认之后发生了变化，因此没有发送。",
            "The facts in Feishu changed after you confirmed, so nothing was sent.",
            "请核对前后差异：取消这项变更，或确认它已由他人完成。",
            "Compare before and now: cancel this change, or say that somebody has done it.",
        ),
        _notice(
            "change.conflict",
            "飞书中的信息既不是变更前的样子，也不是想要的样子。",
            "What Feishu shows is neither how it was before nor what was wanted.",
            "请在飞书后台核实，并由发起人以外的同事裁定。",
            "Check in Feishu's console; a colleague other than the requester decides.",
        ),
        _notice(
            "change.not-applied",
            "多次尝试后，飞书中仍没有生效。",
            "After several attempts it has still not taken effect in Feishu.",
            "请由发起人以外的同事核实并裁定。",
            "A colleague other than the requester checks and decides.",
        ),
        _notice(
            "change.cannot-tell",
            "请求已发出，但没有收到明确的答复；飞书也不提供能看出结果的信息，因此没有重发。",
            "The request was sent but no clear answer came back, and nothing Feishu hands out"
            " shows whether it took effect. It was not sent again.",
            "请在飞书后台查看这条记录，并由发起人以外的同事裁定。",
            "Look at the record in Feishu's own console; a colleague other than the requester"
            " decides.",
        ),
        _notice(
            "change.unreadable",
            "请求已发出，但长时间无法从飞书读取结果，不能判断是否生效。",
            "The request was sent, but its result could not be read from Feishu for a long"
            " time; it is not known whether it took effect.",
            "请在飞书后台核实，并由发起人以外的同事裁定。",
            "Check in Feishu's console; a colleague other than the requester decides.",
        ),
    )
}


class NotAllowed(LifecycleError):
    http_status = 403

    def __init__(self) -> None:
        super().__init__(NOTICES["person.not-allowed"])


class NotFound(LifecycleError):
    """`is_hidden`: there is such a record, out of this person's reach. The answer never says so;
    the action log does."""

    http_status = 404

    def __init__(self, *, is_hidden: bool = False) -> None:
        super().__init__(NOTICES["person.not-found"])
        self.is_hidden = is_hidden


class ReasonMissing(LifecycleError):
    def __init__(self) -> None:
        super().__init__(NOTICES["person.reason-missing"])


class FormNotOurs(LifecycleError):
    """Without the proof (CSRF) that a form was sent from a page of ours."""

    http_status = 403

    def __init__(self) -> None:
        super().__init__(NOTICES["person.form-not-ours"])


class StepNotAllowed(LifecycleError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(NOTICES["change.step-not-allowed"])


class StalePlan(LifecycleError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(NOTICES["change.stale-plan"])


class ChangeBlocked(LifecycleError):
    """`blockers`: every reason, not only the first."""

    def __init__(self, blockers: Sequence[Notice]) -> None:
        super().__init__(NOTICES["change.blocked"])
        self.blockers = tuple(blockers)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return self.blockers


class InvalidValues(LifecycleError):
    def __init__(self) -> None:
        super().__init__(NOTICES["change.invalid-values"])


class VerdictRefused(LifecycleError):
    """`code`: verdict.own-request or verdict.reason-missing."""

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])


class HoldInForce(LifecycleError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(NOTICES["log.hold-in-force"])


class GuardRefused(LifecycleError):
    """The switch of all writes cannot be turned like this. `code`: guard.*."""

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])
        self.http_status = 422 if code == "guard.reason-missing" else 409


class ApprovalRefused(LifecycleError):
    """`code`: approval.own-request or approval.reason-missing."""

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])


class RequestRefused(LifecycleError):
    """A decision on a probation that cannot be taken, or asked for. `code`: request.*."""

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])
        moved = ("request.not-open", "request.facts-changed", "request.overtaken")
        self.http_status = 409 if code in moved else 422


class MessageRefused(LifecycleError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(NOTICES["message.not-again"])


class CardRefused(LifecycleError):
    """`code`: card.*."""

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])


class ApprovalVoid(LifecycleError):
    """What was to be approved no longer stands; the change has expired. `code`: the reason."""

    http_status = 409

    def __init__(self, code: str) -> None:
        super().__init__(NOTICES[code])


class FeishuUnreadable(LifecycleError):
    """`problem`: one word for the log; `log_id` when Feishu gave one."""

    http_status = 503

    def __init__(self, problem: str, *, log_id: str | None = None) -> None:
        super().__init__(NOTICES["feishu.unreadable"])
        self.problem = problem
        self.log_id = log_id
