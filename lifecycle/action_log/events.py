"""Every kind of entry there is: its sentence, and what its text may say.

A key that is not listed cannot be written, so that no secret slips in. What begins with
`private_` is the fingerprint of a value that stands beside the chain.
"""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.errors.words import Words

PERSON_ERASED = "log.person_erased"
HOLD_PLACED, HOLD_RELEASED = "log.hold_placed", "log.hold_released"


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of entry: its sentence and the keys its body may carry.

    `{actor}` and `{person}` stand for names looked up when the sentence is shown.
    """

    sentence: Words
    keys: frozenset[str] = frozenset()


def _event(zh: str, en: str, *keys: str) -> Event:
    return Event(Words(zh, en), frozenset(keys))


_CHANGE = ("kind", "subject_id", "payload_hash", "pre_image_hash", "to", "from")
_ACCOUNT = (
    "user",
    "after",
    "at_command_line",
    "private_reason",
    "private_open_id",
    "private_open_id_before",
)
_CASE = ("kind", "case", "run", "present", "missing", "doubt")
_REQUEST = ("request", "approver", "due_on", "held", "step", "steps", "step_role")
_DECISION = ("decided_for", "through")
_MESSAGE = ("message", "request", "user", "message_kind")
_STARTED = ("program", "values", "private_addresses")
_ANSWER = (
    "number",
    "outcome",
    "http_status",
    "code",
    "log_id",
    "problem",
    "request_hash",
    "private_response",
)

EVENTS: dict[str, Event] = {
    "change.planned": _event(
        "{actor}查看了{person}的“{verb}”预览{blocked_words}",
        "{actor} looked at the plan to {verb} {person}{blocked_words}",
        *_CHANGE,
        "submission",
        "private_request",
        "plan_hash",
        "effective_at",
        "blockers",
        "is_fresh",
    ),
    "change.requested": _event(
        "{actor}发起了{person}的“{verb}”",
        "{actor} asked to {verb} {person}",
        *_CHANGE,
        "private_request",
        "plan_hash",
        "effective_at",
        "undo_of",
        "request",
        "problem",
        "private_reason",
    ),
    "change.approved": _event(
        "{actor}作为第二人确认了{person}的“{verb}”",
        "{actor} confirmed, as a second person, the change to {verb} {person}",
        *_CHANGE,
        "effective_at",
    ),
    "change.rejected": _event(
        "{actor}驳回了{person}的“{verb}”",
        "{actor} rejected the change to {verb} {person}",
        *_CHANGE,
        "private_reason",
    ),
    "change.expired": _event(
        "{person}的“{verb}”已作废：{problem}",
        "The change to {verb} {person} is void: {problem}",
        *_CHANGE,
        "problem",
    ),
    "change.sending": _event(
        "第 {number} 次向飞书发送{person}的“{verb}”",
        "Attempt {number} to {verb} {person} is sent to Feishu",
        *_CHANGE,
        "number",
        "request_hash",
        "deadline_at",
    ),
    "change.succeeded": _event(
        "{person}的“{verb}”已完成（{via}）",
        "The change to {verb} {person} is done ({via})",
        *_CHANGE,
        *_ANSWER,
        "via",
        "observed",
        "private_reason",
    ),
    "change.failed": _event(
        "{person}的“{verb}”没有完成：{problem}",
        "The change to {verb} {person} was not done: {problem}",
        *_CHANGE,
        *_ANSWER,
        "via",
        "observed",
        "private_reason",
    ),
    "change.postponed": _event(
        "{person}的“{verb}”稍后再试：{problem}",
        "The change to {verb} {person} is tried again later: {problem}",
        *_CHANGE,
        *_ANSWER,
        "next_run_at",
    ),
    "change.verifying": _event(
        "{person}的“{verb}”没有明确答复，正在向飞书核实：{problem}",
        "The change to {verb} {person} got no clear answer and is being checked: {problem}",
        *_CHANGE,
        *_ANSWER,
        "next_run_at",
        "private_reason",
    ),
    "change.answered_late": _event(
        "飞书对第 {number} 次发送（{person}的“{verb}”）的答复来得太晚，未作为依据",
        "Feishu's answer to attempt {number} to {verb} {person} came too late to count",
        *_CHANGE,
        *_ANSWER,
    ),
    "change.not_applied": _event(
        "核实：{person}的“{verb}”没有生效，将再次发送",
        "Checked: the change to {verb} {person} has not taken effect; it is sent again",
        *_CHANGE,
        "observed",
        "first_read_at",
        "next_run_at",
    ),
    "change.needs_attention": _event(
        "{person}的“{verb}”需要人工裁定：{problem}",
        "The change to {verb} {person} needs a person's decision: {problem}",
        *_CHANGE,
        *_ANSWER,
        "observed",
        "first_read_at",
    ),
    "change.cancelled": _event(
        "{actor}取消了{person}的“{verb}”",
        "{actor} cancelled the change to {verb} {person}",
        *_CHANGE,
    ),
    "user.signed_in": _event("{actor}登录{way_words}", "{actor} signed in{way_words}", "way"),
    "user.sign_in_failed": _event(
        "有人登录失败{why_words}",
        "A sign-in failed{why_words}",
        "why",
        "user",
        "code",
        "log_id",
        "private_username",
        "private_open_id",
    ),
    "user.sign_ins_failing": _event(
        "一分钟内登录失败超过 {limit} 次，其余不再逐条记录",
        "More than {limit} sign-ins failed within a minute; the rest of them is not listed",
        "limit",
    ),
    "user.refused": _event(
        "{actor}的操作被拒绝（{area_words}{about_words}）：{refusal}",
        "{actor} was refused ({area_words}{about_words}): {refusal}",
        "problem",
        "area",
        "page",
        "method",
        "blockers",
        "private_path",
    ),
    "user.refusals_unlisted": _event(
        "{actor}一分钟内被拒绝超过 {limit} 次，其余不再逐条记录",
        "{actor} was refused more than {limit} times within a minute; the rest is not listed",
        "limit",
    ),
    "user.signed_out": _event("{actor}退出登录", "{actor} signed out"),
    "user.sessions_ended": _event(
        "{actor}结束了{user}的 {number} 个登录会话",
        "{actor} signed {user} out of {number} sessions",
        "user",
        "number",
        "at_command_line",
    ),
    "user.password_changed": _event(
        "{actor}修改了{user}的密码",
        "{actor} changed the password of {user}",
        "user",
        "at_command_line",
    ),
    "user.second_step_on": _event(
        "{actor}开启了两步验证", "{actor} switched the second step on", "user"
    ),
    "user.second_step_off": _event(
        "{actor}关闭了两步验证", "{actor} switched the second step off", "user"
    ),
    "user.second_step_reset": _event(
        "{actor}重置了{user}的两步验证",
        "{actor} reset the second step of {user}",
        "user",
        "at_command_line",
    ),
    "user.recovery_codes_renewed": _event(
        "{actor}更换了恢复码", "{actor} renewed the recovery codes", "user"
    ),
    "user.recovery_code_used": _event(
        "{actor}使用了一个恢复码，还剩 {left} 个",
        "{actor} used a recovery code; {left} are left",
        "user",
        "left",
    ),
    "user.created": _event(
        "{actor}新建了用户{user}（{after}）",
        "{actor} created the user {user} ({after})",
        *_ACCOUNT,
    ),
    "user.changed": _event(
        "{actor}修改了用户{user}：由（{before}）改为（{after}）",
        "{actor} changed the user {user} from ({before}) to ({after})",
        *_ACCOUNT,
        "before",
    ),
    "log.check_requested": _event(
        "{actor}要求核验操作日志", "{actor} asked to have the log checked", "check", "is_full"
    ),
    "log.checked": _event(
        "操作日志核验：{verdict}",
        "The log was checked: {verdict}",
        "check",
        "state",
        "checked",
        "signatures_checked",
        "outside",
        "bad_seq",
        "bad_checkpoint",
        "fault",
    ),
    "changes.check_requested": _event(
        "{actor}要求自检全部状态变更", "{actor} asked to have all status changes checked", "check"
    ),
    "changes.checked": _event(
        "状态变更自检：共 {changes} 项，{violations} 处不符",
        "The status changes were checked: {changes} of them, {violations} things do not fit",
        "check",
        "state",
        "changes",
        "violations",
    ),
    "log.sample_drawn": _event(
        "{actor}抽取了 {size} 条记录的样本（种子 {seed}）",
        "{actor} drew a sample of {size} entries (seed {seed})",
        "sample",
        "seed",
        "size",
        "first_seq",
        "last_seq",
    ),
    "log.reviewed": _event(
        "{actor}复核了第 {entry} 条记录：{conclusion_words}",
        "{actor} reviewed entry {entry}: {conclusion_words}",
        "sample",
        "entry",
        "conclusion",
        "private_note",
    ),
    "log.evidence_taken": _event(
        "{actor}提取了证据包（{entries} 条记录）",
        "{actor} took an evidence pack ({entries} entries)",
        "scope",
        "person_id",
        "change_id",
        "since",
        "until",
        "entries",
        "sha256",
        "private_purpose",
    ),
    "log.private_erased": _event(
        "按保存期限删除了 {values} 项链外内容（{until} 之前）",
        "{values} private values from before {until} were erased as their time was over",
        "values",
        "until",
        "days",
        "holds",
    ),
    "log.person_erased": _event(
        "{actor}删除了{person}的 {values} 项链外内容",
        "{actor} erased {values} private values of {person}",
        "values",
        "at_command_line",
        "private_reason",
    ),
    "log.protected": _event(
        "{actor}恢复了数据库对操作日志的保护",
        "{actor} had the database refuse again to change the log",
        "missing",
        "at_command_line",
    ),
    "log.hold_placed": _event(
        "{actor}对{person}的记录设置了保全",
        "{actor} placed a legal hold on the entries of {person}",
        "hold",
        "private_reason",
    ),
    "log.hold_released": _event(
        "{actor}解除了对{person}的记录的保全",
        "{actor} released the legal hold on the entries of {person}",
        "hold",
        "private_reason",
    ),
    "export.started": _event(
        "{actor}开始导出{list_title}（{format}，{rows} 行）",
        "{actor} began to export {list_title} ({format}, {rows} rows)",
        "list",
        "format",
        "rows",
        "is_cut",
        "tab",
        "private_filters",
        "private_purpose",
    ),
    "export.finished": _event(
        "{actor}已导出{list_title}（{format}，{rows} 行）",
        "{actor} exported {list_title} ({format}, {rows} rows)",
        "list",
        "format",
        "rows",
        "sha256",
        "started",
    ),
    "sync.requested": _event("{actor}要求立即同步", "{actor} asked for a sync"),
    "drift.taken": _event(
        "{actor}接手处理{person}的记录矛盾",
        "{actor} looks after what does not agree about {person}",
        "case",
        "rule",
        "was",
    ),
    "drift.dismissed": _event(
        "{actor}认定{person}的记录矛盾无需处理",
        "{actor} dismissed what does not agree about {person}",
        "case",
        "rule",
        "private_reason",
    ),
    "sync.kind_requested": _event(
        "{actor}要求立即同步：{kind}", "{actor} asked for a sync of {kind}", "kind"
    ),
    "sync.paused": _event("{actor}暂停了{kind}的同步", "{actor} paused the sync of {kind}", "kind"),
    "sync.resumed": _event(
        "{actor}恢复了{kind}的同步", "{actor} let the sync of {kind} go on", "kind"
    ),
    "sync.finished": _event(
        "同步完成：{kind}，读取 {read} 条",
        "Sync of {kind} finished: {read} records read",
        "kind",
        "read",
        "stored",
        "unreadable",
        "run",
    ),
    "sync.failed": _event(
        "同步失败：{kind}（{problem}）",
        "Sync of {kind} failed: {problem}",
        "kind",
        "read",
        "stored",
        "unreadable",
        "run",
        "problem",
        "log_id",
    ),
    "record.changed_in_feishu": _event(
        "{person}的{record_words}{how_words}{fields_words}",
        "{person}'s {record_words} {how_words}{fields_words}",
        "record_kind",
        "subject_id",
        "what",
        "source",
        "fields",
        "alerts",
        "private_values",
    ),
    "sync.case_opened": _event(
        "同步隔离：{kind} 现有 {present} 条，飞书少了 {missing} 条，未作任何移除",
        "Sync of {kind} held back: {missing} of {present} records are missing from Feishu; none"
        " is taken off the lists",
        *_CASE,
    ),
    "sync.case_accepted": _event(
        "{actor}认定{kind}少了 {missing} 条属实，下次同步可以移除",
        "{actor} says that {missing} records of {kind} are rightly missing; the next sync may"
        " take them off",
        *_CASE,
        "private_reason",
    ),
    "sync.case_ignored": _event(
        "{actor}决定不采信这次同步：{kind}少了 {missing} 条",
        "{actor} ignores the answer in which {missing} records of {kind} were missing",
        *_CASE,
        "private_reason",
    ),
    "sync.case_passed": _event(
        "{kind}缺少的记录在之后的同步中恢复正常",
        "A later sync of {kind} found the missing records again",
        *_CASE,
    ),
    "request.asked": _event(
        "{actor}请{approver}决定{person}是否转正（预计 {due_on}）",
        "{actor} asked {approver} to decide on the conversion of {person} (due on {due_on})",
        *_REQUEST,
        "suggested_on",
        "payload_hash",
        "pre_image_hash",
        "follows",
        "private_note",
    ),
    "request.approved": _event(
        "{decider}同意{person}于 {day} 转正",
        "{decider} agreed to convert {person} on {day}",
        *_REQUEST,
        *_DECISION,
        "payload_hash",
        "pre_image_hash",
        "day",
    ),
    "request.step_agreed": _event(
        "{decider}同意{person}于 {day} 转正（第 {step} 步，共 {steps} 步），"
        "接下来由{next_words}决定",
        "{decider} agreed to convert {person} on {day} (step {step} of {steps}); {next_words}"
        " decides next",
        *_REQUEST,
        *_DECISION,
        "payload_hash",
        "pre_image_hash",
        "day",
        "next",
    ),
    "request.extended": _event(
        "{decider}把{person}的试用期延长至 {day}",
        "{decider} extended the probation of {person} until {day}",
        *_REQUEST,
        *_DECISION,
        "day",
        "private_reason",
    ),
    "request.declined": _event(
        "{decider}决定不予{person}转正",
        "{decider} decided not to convert {person}",
        *_REQUEST,
        *_DECISION,
        "private_reason",
    ),
    "request.void": _event(
        "{person}的转正审批已作废：{void_because}",
        "The request to decide on {person} is void: {void_because}",
        *_REQUEST,
        "because",
    ),
    "request.cancelled": _event(
        "{actor}撤回了{person}的转正审批",
        "{actor} took back the request to decide on {person}",
        *_REQUEST,
        "private_reason",
    ),
    "request.reassigned": _event(
        "{actor}把{person}的转正审批改由{approver}决定",
        "{actor} gave the decision on {person} to {approver}",
        *_REQUEST,
        "was",
        "private_reason",
    ),
    "request.escalated": _event(
        "{person}的转正审批逾期未决，已上报给{approver}",
        "The decision on {person} was overdue and went up the line to {approver}",
        *_REQUEST,
        "was",
    ),
    "request.reminded": _event(
        "已提醒{approver}决定{person}是否转正（预计 {due_on}）",
        "{approver} was reminded to decide on {person} (due on {due_on})",
        *_REQUEST,
        "number",
        "mailed",
        "messaged",
    ),
    "settings.approval_steps": _event(
        "{actor}修改了{department_words}的转正审批步骤：由（{before_words}）改为（{after_words}）",
        "{actor} changed the steps of deciding on conversions in {department_words} from"
        " ({before_words}) to ({after_words})",
        "department",
        "before_steps",
        "after_steps",
        "private_reason",
    ),
    "settings.noted": _event(
        "{program_words}以 {number} 项设置启动",
        "{program_words} started with {number} settings written down",
        *_STARTED,
        "number",
    ),
    "settings.changed": _event(
        "{program_words}启动时的设置有变：{settings_words}",
        "{program_words} started with other settings: {settings_words}",
        *_STARTED,
        "changed",
    ),
    "message.undelivered": _event(
        "发给{user}的飞书消息没有送达（关于{person}）：{problem}",
        "The Feishu message to {user} about {person} was not delivered: {problem}",
        *_MESSAGE,
        "problem",
        "code",
        "log_id",
    ),
    "message.sent_again": _event(
        "{actor}再次向{user}发送飞书消息（关于{person}）",
        "{actor} sent the Feishu message to {user} about {person} again",
        *_MESSAGE,
        "was",
    ),
    "delegation.created": _event(
        "{actor}委托{user}在 {first_day} 至 {last_day} 代为审批",
        "{actor} asked {user} to decide for them from {first_day} to {last_day}",
        "user",
        "first_day",
        "last_day",
        "delegation",
    ),
    "delegation.ended": _event(
        "{actor}结束了对{user}的审批委托",
        "{actor} ended the delegation to {user}",
        "user",
        "delegation",
    ),
    "writes.stopped": _event(
        "{actor}停止了向飞书写入",
        "{actor} stopped all writes to Feishu",
        "in_flight",
        "at_command_line",
        "private_reason",
    ),
    "writes.started": _event(
        "{actor}恢复了向飞书写入",
        "{actor} let writes to Feishu go on",
        "held",
        "at_command_line",
        "private_reason",
    ),
}
