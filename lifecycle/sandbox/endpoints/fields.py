"""R3, R4 and R5: the fields of offboardings and pre-hires, and the rules an edit needs.

R3 shows custom fields only, R4 standard ones as well.
"""

from typing import Any

from ..calls import Call, Refusal
from ..paging import page, place_of

TEXT, FLAG, NUMBER, ENUM, LOOKUP, AUTO_NUMBER, DATE, ATTACHMENT = 1, 2, 3, 4, 5, 6, 7, 8
_CREATED, _UPDATED = "1700000000", "1750000000"

Field = dict[str, Any]


def _text(*, multiline: bool = False, link: bool = False) -> Field:
    length = 6000 if multiline else 255
    setting = {
        "is_multilingual": False,
        "is_multiline": multiline,
        "max_length": length,
        "is_url_type": link,
    }
    return {"text_field_setting": setting}


def _number(decimals: int) -> Field:
    return {
        "number_field_setting": {
            "number_field_type": 3,
            "decimal_places": decimals,
            "decimal_total_places": 10,
        }
    }


def _enum(options: list[tuple[str, str, str]], *, multiple: bool = False) -> Field:
    listed = [
        {"api_name": api_name, "name": {"zh_cn": zh, "en_us": en}, "is_open": True}
        for api_name, zh, en in options
    ]
    return {"enum_field_setting": {"enum_field_option_list": listed, "is_multiple": multiple}}


def _field(
    owner: str, api_name: str, zh: str, en: str, type_: int, config: Field | None = None
) -> Field:
    return {
        "custom_api_name": api_name,
        "name": {"zh_cn": zh, "en_us": en},
        "description": {"zh_cn": "", "en_us": ""},
        "is_open": True,
        "is_required": False,
        "is_unique": False,
        "object_api_name": owner,
        "type": type_,
        "common_schema_config": config or {},
        "create_time": _CREATED,
        "update_time": _UPDATED,
    }


_DAY: Field = {"date_time_field_setting": {"date_time_type": 1}}
_MOMENT: Field = {"date_time_field_setting": {"date_time_type": 3}}
_NEXT = [
    ("opt_peer", "同业公司", "Same trade"),
    ("opt_study", "继续深造", "Studies"),
    ("opt_startup", "创业", "Start-up"),
]
_CARE = [
    ("opt_party", "欢送会", "Farewell party"),
    ("opt_letter", "推荐信", "Reference"),
    ("opt_alumni", "校友群", "Alumni"),
]
_BLOCK = [("block_conduct", "违纪", "Misconduct"), ("block_fraud", "简历造假", "False résumé")]

_OFFBOARDING = [
    _field("offboarding_info", "custom_field_1__c", "交接人备注", "Handover remark", TEXT, _text()),
    _field("offboarding_info", "custom_field_2__c", "离职访谈纪要", "Exit interview", TEXT, _text(multiline=True)),
    _field("offboarding_info", "custom_field_3__c", "设备已归还", "Devices returned", FLAG),
    _field("offboarding_info", "custom_field_4__c", "剩余年假天数", "Leave days left", NUMBER, _number(1)),
    _field("offboarding_info", "custom_field_5__c", "离职去向", "Next step", ENUM, _enum(_NEXT)),
    _field("offboarding_info", "custom_field_6__c", "离职关怀", "Farewell care", ENUM, _enum(_CARE, multiple=True)),
    _field("offboarding_info", "custom_field_7__c", "交接完成日期", "Handover done on", DATE, _DAY),
    _field("offboarding_info", "custom_field_8__c", "访谈文档", "Interview document", TEXT, _text(link=True)),
    _field("offboarding_info", "custom_field_9__c", "工作交接人", "Successor", LOOKUP,
           {"lookup_field_setting": {"lookup_obj_api_name": "employment", "is_multiple": False}}),
    _field("offboarding_info", "custom_field_10__c", "离职申请扫描件", "Signed request", ATTACHMENT,
           {"attachment_field_setting": {"is_multiple": True}}),
    _field("offboarding_info", "custom_field_11__c", "离职编号", "Departure number", AUTO_NUMBER),
]  # fmt: skip
_STANDARD = [
    _field("offboarding_info", "offboarding_date", "离职日期", "Departure date", DATE, _DAY),
    _field("offboarding_info", "expected_offboarding_date", "期望离职日期", "Wished departure date", DATE, _DAY),
    _field("offboarding_info", "last_attendance_date", "最后出勤日", "Last day of attendance", DATE, _DAY),
    _field("offboarding_info", "apply_initiating_time", "离职申请发起时间", "Request started at", DATE, _MOMENT),
    _field("offboarding_info", "apply_finish_time", "离职审批通过时间", "Request approved at", DATE, _MOMENT),
    _field("offboarding_info", "reason", "离职原因", "Reason", ENUM, _enum([])),
    _field("offboarding_info", "employee_reason", "员工自述离职原因", "Reason given by the employee", ENUM, _enum([])),
    _field("offboarding_info", "reason_explanation", "离职原因说明", "Explanation", TEXT, _text(multiline=True)),
    _field("offboarding_info", "employee_reason_explanation", "员工自述离职说明", "Explanation of the employee",
           TEXT, _text(multiline=True)),
    _field("offboarding_info", "add_block_list", "加入屏蔽名单", "On the block list", FLAG),
    _field("offboarding_info", "block_reason", "屏蔽原因", "Block reason", ENUM, _enum(_BLOCK)),
    _field("offboarding_info", "block_reason_explanation", "屏蔽原因说明", "Block explanation",
           TEXT, _text(multiline=True)),
    _field("offboarding_info", "retain_account", "保留飞书账号", "Keep the account", FLAG),
    _field("offboarding_info", "is_transfer_with_workforce", "编制随人转移", "Headcount moves along", FLAG),
    _field("offboarding_info", "enforce_noncompete_agreement", "启动竞业", "Enforce non-compete", FLAG),
    _field("offboarding_info", "noncompete_agreement_company", "竞业公司", "Non-compete company", LOOKUP,
           {"lookup_field_setting": {"lookup_obj_api_name": "company", "is_multiple": False}}),
    _field("offboarding_info", "noncompete_agreement_start_date", "竞业开始日期", "Non-compete from", DATE, _DAY),
    _field("offboarding_info", "noncompete_agreement_end_date", "竞业结束日期", "Non-compete until", DATE, _DAY),
]  # fmt: skip
_PRE_HIRE = [
    _field("pre_hire", "custom_field_21__c", "工牌", "Badge", TEXT, _text()),
    _field("pre_hire", "custom_field_22__c", "电脑已准备", "Laptop ready", FLAG),
    _field("pre_hire", "custom_field_23__c", "签约奖金", "Signing bonus", NUMBER, _number(2)),
    _field("pre_hire", "custom_field_24__c", "班车路线", "Bus line", ENUM,
           _enum([("line_1", "一号线", "Line 1"), ("line_2", "二号线", "Line 2")])),
    _field("pre_hire", "custom_field_25__c", "入职礼包", "Welcome gifts", ENUM,
           _enum([("gift_cup", "水杯", "Cup"), ("gift_shirt", "T 恤", "Shirt")], multiple=True)),
    _field("pre_hire", "custom_field_26__c", "体检日期", "Health check on", DATE, _DAY),
]  # fmt: skip

OFFBOARDING_FIELDS: dict[str, Field] = {
    field["custom_api_name"]: field for field in (*_OFFBOARDING, *_STANDARD)
}
_CUSTOM: dict[str, list[Field]] = {"offboarding_info": _OFFBOARDING, "pre_hire": _PRE_HIRE}
_OBJECTS = {
    "offboarding_info": ("离职信息", "Offboarding"),
    "pre_hire": ("待入职", "Pre-hire"),
    "person": ("个人信息", "Person"),
    "employment": ("雇佣信息", "Employment"),
    "job_data": ("任职信息", "Job data"),
    "department": ("部门", "Department"),
    "probation_management": ("试用期", "Probation"),
}


def field_name_of(field: Field) -> dict[str, str]:
    return dict(field["name"])


def list_custom_fields(call: Call) -> dict[str, Any]:
    """R3."""
    wanted = call.texts("object_api_name_list")
    if not wanted or len(wanted) > 20:
        raise Refusal(1160005)
    if any(name not in _OBJECTS for name in wanted):
        raise Refusal(1162010)
    return {"items": [field for name in wanted for field in _CUSTOM.get(name, [])]}


def get_field(call: Call) -> dict[str, Any]:
    """R4. The field lies in a doubled `data`."""
    owner, name = call.text("object_api_name"), call.text("custom_api_name")
    if not owner or not name:
        raise Refusal(1160006)
    if owner not in _OBJECTS:
        raise Refusal(1162010)
    fields = {field["custom_api_name"]: field for field in _CUSTOM.get(owner, [])}
    if owner == "offboarding_info":
        fields = OFFBOARDING_FIELDS
    if name not in fields:
        raise Refusal(1162020)
    return {"data": _with_reasons(call, fields[name])}


def _with_reasons(call: Call, field: Field) -> Field:
    """The options of the two reason fields are the catalogue of O2."""
    if field["custom_api_name"] not in ("reason", "employee_reason"):
        return field
    options = [
        (r["id"], r["name"][0]["value"], r["name"][1]["value"])
        for r in call.tenant.store.all("reasons")
    ]
    return {**field, "common_schema_config": _enum(options)}


def list_objects(call: Call) -> dict[str, Any]:
    """R5. Its largest page is not documented; 100 is taken. A bad token has a code of its own."""
    size = call.number("page_size", default=None, low=1, high=100)
    after = place_of(call, code=1160009)
    rows = [
        (n, {"id": name})
        for n, name in enumerate(_OBJECTS, start=1)
        if n > (after[0] if after else 0)
    ]
    shown, tail = page(call, rows, size)
    return {"items": [_object(record["id"]) for record in shown], **tail}


def _object(api_name: str) -> dict[str, Any]:
    zh, en = _OBJECTS[api_name]
    return {
        "object_api_name": api_name,
        "name": {"zh_cn": zh, "en_us": en},
        "is_open": True,
        "create_time": _CREATED,
        "update_time": _UPDATED,
    }
