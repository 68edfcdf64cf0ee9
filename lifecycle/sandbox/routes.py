"""Every documented method and path this tenant answers, with its published limits."""

import re

from .calls import Endpoint
from .endpoints import (
    applications,
    contacts,
    employees,
    employments,
    fields,
    messages,
    offboarding_edit,
    offboardings,
    onboarding,
    organisation,
    pre_hire_patch,
    pre_hires,
    talents,
)

_Limits = tuple[tuple[int, float], ...]
_TIER_2: _Limits = ((20, 60.0),)
_TIER_3: _Limits = ((100, 60.0),)
_TIER_4: _Limits = ((1000, 60.0), (50, 1.0))
_TIER_7: _Limits = ((10, 1.0),)
_TIER_8: _Limits = ((20, 1.0),)

_HIRE_BAD = 1002002
# Pages that print no code for bad input (A5, P2, P3, R6, R10): the gateway's general one, or the family's.
_GATEWAY_BAD = 99992402

AUTH_PATH = "/open-apis/auth/v3/tenant_access_token/internal"

ENDPOINTS = [
    Endpoint("A1", "POST", "hire/v1/talents/:talent_id/onboard_status", talents.change_onboard_status,
             _TIER_2, _HIRE_BAD, "SUCCESS", writes=True),
    Endpoint("A2", "PATCH", "hire/v1/employees/:employee_id", employees.change_employee,
             _TIER_4, _HIRE_BAD, "ok", writes=True),
    Endpoint("A3", "POST", "hire/v1/applications/:application_id/transfer_onboard", onboarding.transfer_onboard,
             _TIER_8, _HIRE_BAD, "ok", writes=True),
    Endpoint("A4", "POST", "corehr/v2/offboardings/edit", offboarding_edit.edit_offboarding,
             _TIER_8, 1160102, writes=True),
    Endpoint("A5", "PATCH", "corehr/v1/pre_hires/:pre_hire_id", pre_hire_patch.patch_pre_hire,
             _TIER_3, _GATEWAY_BAD, writes=True),
    Endpoint("H1", "GET", "hire/v1/talents", talents.list_talents, _TIER_8, _HIRE_BAD, "ok"),
    Endpoint("H2", "GET", "hire/v1/talents/:talent_id", talents.get_talent, _TIER_8, _HIRE_BAD),
    Endpoint("H3", "GET", "hire/v2/talents/:talent_id", talents.get_talent_detail, _TIER_8, _HIRE_BAD),
    Endpoint("H5", "GET", "hire/v1/applications", applications.list_applications, _TIER_4, _HIRE_BAD, "ok"),
    Endpoint("H6", "GET", "hire/v1/applications/:application_id", applications.get_application, _TIER_4, _HIRE_BAD),
    Endpoint("H7", "GET", "hire/v1/applications/:application_id/get_detail", applications.get_application_detail,
             _TIER_7, _HIRE_BAD),
    Endpoint("H9", "GET", "hire/v1/job_processes", applications.list_processes, _TIER_8, _HIRE_BAD),
    Endpoint("H11", "GET", "hire/v1/employees/get_by_application", employees.get_by_application,
             _TIER_4, _HIRE_BAD, "ok"),
    Endpoint("H10", "GET", "hire/v1/employees/:employee_id", employees.get_employee, _TIER_4, _HIRE_BAD, "ok"),
    Endpoint("locations", "GET", "hire/v1/locations", applications.list_locations, _TIER_8, _HIRE_BAD),
    Endpoint("job_requirements", "GET", "hire/v1/job_requirements", applications.list_job_requirements,
             _TIER_4, _HIRE_BAD),
    Endpoint("P1", "GET", "corehr/v1/pre_hires", pre_hires.list_pre_hires, _TIER_4, 1164301),
    Endpoint("P2", "GET", "corehr/v1/pre_hires/:pre_hire_id", pre_hires.get_pre_hire, _TIER_4, _GATEWAY_BAD),
    Endpoint("P3", "POST", "corehr/v2/pre_hires/search", pre_hires.search_pre_hires, _TIER_3, _GATEWAY_BAD),
    Endpoint("O1", "POST", "corehr/v1/offboardings/search", offboardings.search_offboardings, _TIER_3, 1160102),
    Endpoint("O2", "POST", "corehr/v1/offboardings/query", offboardings.list_reasons, _TIER_3, 1160102),
    Endpoint("R1", "POST", "corehr/v2/employees/batch_get", employments.batch_get_employees, _TIER_3, 1160102),
    Endpoint("R3", "GET", "corehr/v1/custom_fields/query", fields.list_custom_fields, _TIER_4, 1160005),
    Endpoint("R4", "GET", "corehr/v1/custom_fields/get_by_param", fields.get_field, _TIER_4, 1160006),
    Endpoint("R5", "GET", "corehr/v1/custom_fields/list_object_api_name", fields.list_objects, _TIER_4, _GATEWAY_BAD),
    Endpoint("R6", "GET", "corehr/v1/employee_types", organisation.list_employee_types, _TIER_4, _GATEWAY_BAD),
    Endpoint("R7", "POST", "corehr/v2/departments/search", organisation.search_departments, _TIER_3, 1160102),
    Endpoint("R8", "POST", "corehr/v2/departments/batch_get", organisation.batch_get_departments, _TIER_4, 1160102),
    Endpoint("R9", "POST", "corehr/v2/cost_centers/search", organisation.search_cost_centers, _TIER_4, 1160001),
    Endpoint("R10", "GET", "corehr/v1/job_levels", organisation.list_job_levels, _TIER_4, _GATEWAY_BAD),
    Endpoint("R11", "POST", "corehr/v2/job_levels/batch_get", organisation.batch_get_job_levels, _TIER_4, 1160001),
    Endpoint("R12", "POST", "corehr/v1/common_data/id/convert", organisation.convert_ids, _TIER_4, 1160001),
    Endpoint("R13", "GET", "contact/v3/users/batch", contacts.batch_get_users, _TIER_4, 40001),
    Endpoint("R14", "GET", "contact/v3/users/:user_id", contacts.get_user, _TIER_4, 40001),
    Endpoint("M1", "POST", "im/v1/messages", messages.send_message, _TIER_4, 230001, writes=True),
    Endpoint("M2", "PATCH", "im/v1/messages/:message_id", messages.update_message, _TIER_4, 230001, writes=True),
]  # fmt: skip

BY_KEY = {endpoint.key: endpoint for endpoint in ENDPOINTS}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/open-apis/" + re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path))


_PATTERNS = [(_pattern(endpoint.path), endpoint) for endpoint in ENDPOINTS]


def match(method: str, path: str) -> tuple[Endpoint | None, dict[str, str], bool]:
    """The endpoint, the values in its path, and whether the path is known under any method."""
    known = False
    for pattern, endpoint in _PATTERNS:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        known = True
        if endpoint.method == method:
            return endpoint, found.groupdict(), True
    return None, {}, known
