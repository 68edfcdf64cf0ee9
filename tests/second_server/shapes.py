"""Records as the pages print them."""

from __future__ import annotations

from typing import Any

from .company import (
    Application,
    CostCenter,
    Employment,
    Field,
    HireEmployee,
    Offboarding,
    PreHire,
    Talent,
    Thing,
)

STAGES = {
    6: ("6793000000000000006", "待入职", "Pre-hire"),
    5: ("6793000000000000005", "Offer", "Offer"),
}
STAGES |= {
    7: ("6793000000000000007", "已入职", "Onboarded"),
    4: ("6793000000000000004", "面试", "Interview"),
}
STATUS_NAMES = {"preboarding": "待入职", "day_one": "准备就绪", "completed": "已完成"}
STATUS_NAMES |= {"withdrawn": "已撤销", "deleted": "已删除", "hired": "在职", "terminated": "离职"}


def enum(name: str) -> dict[str, Any]:
    display = [{"lang": "zh-CN", "value": STATUS_NAMES.get(name, name)}]
    return {"enum_name": name, "display": display}


def i18n(text: str) -> list[dict[str, str]]:
    return [{"lang": "zh-CN", "value": text}]


def filled(record: dict[str, Any]) -> dict[str, Any]:
    """Without what is not set; Feishu leaves such keys out."""
    return {name: value for name, value in record.items() if value not in ("", None)}


def _id(thing: Thing | None, id_type: str) -> str:
    return thing.ids[id_type] if thing else ""


def employee_json(e: HireEmployee, ids: dict[str, str]) -> dict[str, Any]:
    """The record of A2, A3, H10 and H11: whole numbers of milliseconds."""
    times = {"actual_conversion_time": e.actual_conversion_time, "overboard_time": e.overboard_time}
    return filled(
        {
            "id": e.id,
            "application_id": e.application.id,
            "onboard_status": e.onboard_status,
            "conversion_status": e.conversion_status,
            "onboard_time": e.onboard_time,
            "expected_conversion_time": e.expected_conversion_time,
            **{name: at for name, at in times.items() if at},
            "overboard_note": e.overboard_note,
            "onboard_city_code": e.onboard_city_code,
            "department": _id(e.department, ids["department_id_type"]),
            "leader": _id(e.leader, ids["user_id_type"]),
            "sequence": _id(e.sequence, ids["job_family_id_type"]),
            "level": _id(e.level, ids["job_level_id_type"]),
            "employee_type": _id(e.employee_type, ids["employee_type_id_type"]),
            "job_requirement_id": e.job_requirement_id,
        }
    )


def employee_part(e: HireEmployee, ids: dict[str, str]) -> dict[str, Any]:
    """The same inside the application detail, where times are strings and names differ."""
    record = employee_json(e, ids)
    for name in list(record):
        if name.endswith("_time"):
            record[name] = str(record[name])
    for name in ("department", "leader", "sequence", "level"):
        if name in record:
            record[f"{name}_id"] = record.pop(name)
    return record


def talent_json(t: Talent) -> dict[str, Any]:
    basic = {"name": t.name, "email": t.email, "modify_time": str(t.updated_ms)}
    return {
        "id": t.id,
        "is_onboarded": t.is_onboarded,
        "is_in_agency_period": False,
        "basic_info": basic,
    }


def talent_detail(t: Talent) -> dict[str, Any]:
    basic = {"name": t.name, "email": t.email, "update_time": str(t.updated_ms)}
    return {
        "talent_id": t.id,
        "is_onboarded": t.is_onboarded,
        "is_in_agency_period": False,
        "basic_info": basic,
    }


def stage_json(stage: int) -> dict[str, Any]:
    id_, zh, en = STAGES[stage]
    return {"id": id_, "zh_name": zh, "en_name": en, "type": stage}


def application_json(a: Application) -> dict[str, Any]:
    return {
        "id": a.id,
        "job_id": a.job_id,
        "talent_id": a.talent.id,
        "stage": stage_json(a.stage),
        "active_status": 1 if a.active else 2,
        "delivery_type": 1,
        "create_time": str(a.updated_ms - 1000),
        "modify_time": str(a.updated_ms),
        "stage_time_list": [
            {"stage_id": STAGES[a.stage][0], "enter_time": str(a.updated_ms), "exit_time": ""}
        ],
    }


def pre_hire_json(p: PreHire) -> dict[str, Any]:
    """The record of A5 and P2: the status is an object here."""
    return filled(
        {
            "ats_application_id": p.ats_application_id,
            "id": p.id,
            "hire_date": p.hire_date,
            "employee_type": enum(p.employee_type),
            "worker_id": p.worker_id,
            "employee_type_id": p.employee_type_id,
            "person_id": p.person_id,
            "custom_fields": [
                {"field_name": name, "value": value} for name, value in p.custom_fields.items()
            ],
            "cost_center_rate": p.cost_center_rate,
            "onboarding_status": enum(p.onboarding_status),
        }
    )


def pre_hire_found(p: PreHire, ids: dict[str, str]) -> dict[str, Any]:
    """The record of the search: groups, and the status is a string."""
    department = _id(p.department, ids["department_id_type"])
    return {
        "pre_hire_id": p.id,
        "person_info": filled(
            {
                "person_id": p.person_id,
                "talent_id": p.talent.id if p.talent else "",
                "legal_name": p.name,
                "preferred_name": p.name,
                "preferred_local_full_name": p.name,
            }
        ),
        "employment_info": filled(
            {
                "department_id": department,
                "worker_id": p.worker_id,
                "employee_type_id": p.employee_type_id,
                "employment_type": p.employee_type,
                "cost_center_rates": p.cost_center_rate,
                "custom_fields": [
                    {"custom_api_name": name, "name": {"zh_cn": name}, "type": 1, "value": value}
                    for name, value in p.custom_fields.items()
                ],
            }
        ),
        "onboarding_info": filled(
            {
                "onboarding_date": p.hire_date,
                "onboarding_status": p.onboarding_status,
                "ats_application_id": p.ats_application_id,
            }
        ),
        "probation_info": {},
        "contract_info": {},
    }


def offboarding_json(o: Offboarding, user_id_type: str) -> dict[str, Any]:
    values = dict(o.values)
    info: dict[str, Any] = {"employment_id": o.employment.user.ids[user_id_type], "hrbp_id": []}
    for name in ("reason", "employee_reason", "block_reason"):
        if name in values:
            info[name] = enum(values.pop(name))
    if "retain_account" in values:
        info["retain_account"] = values.pop("retain_account") == "true"
    custom = {name: values.pop(name) for name in list(values) if name.endswith("__c")}
    return {
        "offboarding_id": o.id,
        "initiating_type": "offboarding_directly",
        "status": o.status,
        "application_info": {
            "apply_initiator_id": "7200000000000000009",
            "apply_initiating_time": values.pop("apply_initiating_time", o.initiated),
            "apply_finish_time": values.pop("apply_finish_time", o.finished),
            "process_id": "7210",
        },
        "offboarding_info": {
            **info,
            "add_block_list": values.pop("add_block_list", "false"),
            **values,
            "custom_fields": [
                {"custom_api_name": name, "name": {"zh_cn": name}, "type": 1, "value": value}
                for name, value in custom.items()
            ],
        },
        "offboarding_checklist": {"checklist_status": "AntiBegin"},
    }


def employment_json(e: Employment, user_ids: str, department_ids: str) -> dict[str, Any]:
    user, department, leader = (
        e.user.ids[user_ids],
        _id(e.department, department_ids),
        _id(e.leader, user_ids),
    )
    return filled(
        {
            "employment_id": user,
            "employment_id_v2": user,
            "department_id": department,
            "department_id_v2": department,
            "direct_manager_id": leader,
            "direct_manager_id_v2": leader,
            "ats_application_id": e.application_id,
            "prehire_id": e.pre_hire_id,
            "employee_number": e.number,
            "employment_status": enum(e.status),
            "effective_date": e.since.isoformat(),
            "on_probation": e.on_probation,
            "probation_end_date": e.probation_end.isoformat() if e.probation_end else "",
            "expiration_date": e.last_day.isoformat() if e.last_day else "",
            "person_info": {
                "person_id": f"67{e.id[2:]}",
                "legal_name": e.user.name,
                "preferred_name": e.user.name,
            },
            "job_level": _job(e.level),
            "job_family": _job(e.family),
            "cost_center_list": [],
        }
    )


def _job(thing: Thing | None) -> dict[str, Any] | None:
    if thing is None:
        return None
    return {
        "id": thing.ids["id"],
        "code": thing.name,
        "name": i18n(thing.name),
        "active": thing.active,
    }


def field_json(f: Field, reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    """The description of a field; the reasons are options of two standard fields."""
    is_reason = f.api_name in ("reason", "employee_reason")
    options = [
        {"api_name": one, "name": {"zh_cn": one, "en_us": one}, "is_open": True}
        for one in (reasons if is_reason else f.options)
    ]
    text = {
        "is_multilingual": False,
        "is_multiline": f.multiline,
        "is_url_type": f.is_url,
        "max_length": f.most or (6000 if f.multiline else 255),
    }
    config = {
        1: {"text_field_setting": text},
        3: {"number_field_setting": {"number_field_type": 3, "decimal_places": 2}},
        4: {
            "enum_field_setting": {
                "enum_field_option_list": options,
                "is_multiple": f.multiple,
            }
        },
        5: {"lookup_field_setting": {"lookup_obj_api_name": "employment", "is_multiple": False}},
        7: {"date_time_field_setting": {"date_time_type": 3 if f.with_time else 1}},
    }
    return {
        "custom_api_name": f.api_name,
        "name": {"zh_cn": f.zh_name, "en_us": f.api_name},
        "is_open": True,
        "is_required": f.required,
        "is_unique": False,
        "object_api_name": f.object_name,
        "type": f.type,
        "common_schema_config": config.get(f.type, {}),
        "create_time": "1766000000",
        "update_time": "1766000000",
    }


def cost_center_json(c: CostCenter) -> dict[str, Any]:
    return {
        "cost_center_id": c.id,
        "version_id": f"9{c.id[1:]}",
        "name": i18n(c.name),
        "code": c.code,
        "effective_time": "2020-01-01",
        "expiration_time": "9999-12-31",
        "active": c.active,
    }


def department_json(d: Thing, id_type: str, user_id_type: str) -> dict[str, Any]:
    return filled(
        {
            "id": d.ids[id_type],
            "version_id": d.ids["people_corehr_department_id"],
            "department_name": i18n(d.name),
            "parent_department_id": _id(d.parent, id_type),
            "manager": _id(d.manager, user_id_type),
            "tree_order": f"{d.order:09d}",
            "list_order": f"{d.order:09d}",
            "code": d.ids["department_id"],
            "is_root": d.parent is None,
            "effective_date": "2020-01-01",
            "active": d.active,
        }
    )
