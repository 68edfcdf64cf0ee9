"""Every Feishu endpoint the portal calls, with the limits Feishu publishes for it.

A limit counts per endpoint, per app and per tenant. Where Feishu states two windows
(1000 a minute and 50 a second) either one can trip, so both stand here. An endpoint
whose limit is not published has no window.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "/open-apis"


@dataclass(frozen=True, slots=True)
class Window:
    """At most `calls` requests in any `seconds` seconds."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path of Feishu's open platform.

    `name` is our dotted word for it, `path` carries `:placeholders`, `is_write` is true
    for the five calls that change something in Feishu, `is_message` for those that tell
    somebody something.
    """

    name: str
    method: str
    path: str
    windows: tuple[Window, ...] = ()
    is_write: bool = False
    is_message: bool = False

    @property
    def key(self) -> str:
        """The form used in tables of codes: `PATCH /hire/v1/employees/:employee_id`."""
        return f"{self.method} {self.path.removeprefix(PREFIX)}"


PER_MINUTE_20 = (Window(20, 60),)
PER_MINUTE_100 = (Window(100, 60),)
PER_MINUTE_1000 = (Window(1000, 60), Window(50, 1))
PER_SECOND_10 = (Window(10, 1),)
PER_SECOND_20 = (Window(20, 1),)
NOT_PUBLISHED: tuple[Window, ...] = ()

# The five writes.
TALENT_ONBOARD_STATUS = Endpoint(
    "hire.talents.onboard_status",
    "POST",
    "/open-apis/hire/v1/talents/:talent_id/onboard_status",
    PER_MINUTE_20,
    is_write=True,
)
EMPLOYEE_PATCH = Endpoint(
    "hire.employees.patch",
    "PATCH",
    "/open-apis/hire/v1/employees/:employee_id",
    PER_MINUTE_1000,
    is_write=True,
)
APPLICATION_TRANSFER_ONBOARD = Endpoint(
    "hire.applications.transfer_onboard",
    "POST",
    "/open-apis/hire/v1/applications/:application_id/transfer_onboard",
    PER_SECOND_20,
    is_write=True,
)
OFFBOARDING_EDIT = Endpoint(
    "corehr.offboardings.edit",
    "POST",
    "/open-apis/corehr/v2/offboardings/edit",
    PER_SECOND_20,
    is_write=True,
)
PRE_HIRE_PATCH = Endpoint(
    "corehr.pre_hires.patch",
    "PATCH",
    "/open-apis/corehr/v1/pre_hires/:pre_hire_id",
    PER_MINUTE_100,
    is_write=True,
)

# The token.
TENANT_TOKEN = Endpoint(
    "auth.tenant_access_token.internal",
    "POST",
    "/open-apis/auth/v3/tenant_access_token/internal",
    NOT_PUBLISHED,
)

# A person signs in; the limit of the second one is not published.
PERSON_TOKEN = Endpoint(
    "authen.oauth.token", "POST", "/open-apis/authen/v2/oauth/token", PER_MINUTE_1000
)
PERSON_INFO = Endpoint("authen.user_info", "GET", "/open-apis/authen/v1/user_info", NOT_PUBLISHED)

# Reads of Feishu Hire.
TALENT_LIST = Endpoint("hire.talents.list", "GET", "/open-apis/hire/v1/talents", PER_SECOND_20)
TALENT_GET = Endpoint(
    "hire.talents.get", "GET", "/open-apis/hire/v2/talents/:talent_id", PER_SECOND_20
)
APPLICATION_LIST = Endpoint(
    "hire.applications.list", "GET", "/open-apis/hire/v1/applications", PER_MINUTE_1000
)
APPLICATION_GET = Endpoint(
    "hire.applications.get",
    "GET",
    "/open-apis/hire/v1/applications/:application_id",
    PER_MINUTE_1000,
)
APPLICATION_DETAIL = Endpoint(
    "hire.applications.get_detail",
    "GET",
    "/open-apis/hire/v1/applications/:application_id/get_detail",
    PER_SECOND_10,
)
JOB_PROCESS_LIST = Endpoint(
    "hire.job_processes.list", "GET", "/open-apis/hire/v1/job_processes", PER_SECOND_20
)
EMPLOYEE_GET = Endpoint(
    "hire.employees.get", "GET", "/open-apis/hire/v1/employees/:employee_id", PER_MINUTE_1000
)
EMPLOYEE_BY_APPLICATION = Endpoint(
    "hire.employees.get_by_application",
    "GET",
    "/open-apis/hire/v1/employees/get_by_application",
    PER_MINUTE_1000,
)
LOCATION_LIST = Endpoint(
    "hire.locations.list", "GET", "/open-apis/hire/v1/locations", PER_SECOND_20
)
JOB_REQUIREMENT_LIST = Endpoint(
    "hire.job_requirements.list", "GET", "/open-apis/hire/v1/job_requirements", PER_MINUTE_1000
)

# Reads of Feishu CoreHR and Contact.
PRE_HIRE_LIST = Endpoint(
    "corehr.pre_hires.list", "GET", "/open-apis/corehr/v1/pre_hires", PER_MINUTE_1000
)
PRE_HIRE_GET = Endpoint(
    "corehr.pre_hires.get", "GET", "/open-apis/corehr/v1/pre_hires/:pre_hire_id", PER_MINUTE_1000
)
PRE_HIRE_SEARCH = Endpoint(
    "corehr.pre_hires.search", "POST", "/open-apis/corehr/v2/pre_hires/search", PER_MINUTE_100
)
OFFBOARDING_SEARCH = Endpoint(
    "corehr.offboardings.search",
    "POST",
    "/open-apis/corehr/v1/offboardings/search",
    PER_MINUTE_100,
)
OFFBOARDING_REASONS = Endpoint(
    "corehr.offboardings.query",
    "POST",
    "/open-apis/corehr/v1/offboardings/query",
    PER_MINUTE_100,
)
EMPLOYMENT_BATCH_GET = Endpoint(
    "corehr.employees.batch_get",
    "POST",
    "/open-apis/corehr/v2/employees/batch_get",
    PER_MINUTE_100,
)
CUSTOM_FIELD_LIST = Endpoint(
    "corehr.custom_fields.query",
    "GET",
    "/open-apis/corehr/v1/custom_fields/query",
    PER_MINUTE_1000,
)
CUSTOM_FIELD_GET = Endpoint(
    "corehr.custom_fields.get_by_param",
    "GET",
    "/open-apis/corehr/v1/custom_fields/get_by_param",
    PER_MINUTE_1000,
)
EMPLOYEE_TYPE_LIST = Endpoint(
    "corehr.employee_types.list", "GET", "/open-apis/corehr/v1/employee_types", PER_MINUTE_1000
)
DEPARTMENT_SEARCH = Endpoint(
    "corehr.departments.search", "POST", "/open-apis/corehr/v2/departments/search", PER_MINUTE_100
)
DEPARTMENT_BATCH_GET = Endpoint(
    "corehr.departments.batch_get",
    "POST",
    "/open-apis/corehr/v2/departments/batch_get",
    PER_MINUTE_1000,
)
COST_CENTER_SEARCH = Endpoint(
    "corehr.cost_centers.search",
    "POST",
    "/open-apis/corehr/v2/cost_centers/search",
    PER_MINUTE_1000,
)
JOB_LEVEL_LIST = Endpoint(
    "corehr.job_levels.list", "GET", "/open-apis/corehr/v1/job_levels", PER_MINUTE_1000
)
ID_CONVERT = Endpoint(
    "corehr.common_data.id_convert",
    "POST",
    "/open-apis/corehr/v1/common_data/id/convert",
    PER_MINUTE_1000,
)
USER_BATCH_GET = Endpoint(
    "contact.users.batch", "GET", "/open-apis/contact/v3/users/batch", PER_MINUTE_1000
)

# Messages. Besides these limits there are 5 a second to one receiver and for one message.
MESSAGE_CREATE = Endpoint(
    "im.messages.create",
    "POST",
    "/open-apis/im/v1/messages",
    PER_MINUTE_1000,
    is_message=True,
)
MESSAGE_PATCH = Endpoint(
    "im.messages.patch",
    "PATCH",
    "/open-apis/im/v1/messages/:message_id",
    PER_MINUTE_1000,
    is_message=True,
)

WRITES: tuple[Endpoint, ...] = (
    TALENT_ONBOARD_STATUS,
    EMPLOYEE_PATCH,
    APPLICATION_TRANSFER_ONBOARD,
    OFFBOARDING_EDIT,
    PRE_HIRE_PATCH,
)

READS: tuple[Endpoint, ...] = (
    TALENT_LIST,
    TALENT_GET,
    APPLICATION_LIST,
    APPLICATION_GET,
    APPLICATION_DETAIL,
    JOB_PROCESS_LIST,
    EMPLOYEE_GET,
    EMPLOYEE_BY_APPLICATION,
    LOCATION_LIST,
    JOB_REQUIREMENT_LIST,
    PRE_HIRE_LIST,
    PRE_HIRE_GET,
    PRE_HIRE_SEARCH,
    OFFBOARDING_SEARCH,
    OFFBOARDING_REASONS,
    EMPLOYMENT_BATCH_GET,
    CUSTOM_FIELD_LIST,
    CUSTOM_FIELD_GET,
    EMPLOYEE_TYPE_LIST,
    DEPARTMENT_SEARCH,
    DEPARTMENT_BATCH_GET,
    COST_CENTER_SEARCH,
    JOB_LEVEL_LIST,
    ID_CONVERT,
    USER_BATCH_GET,
)

MESSAGES: tuple[Endpoint, ...] = (MESSAGE_CREATE, MESSAGE_PATCH)

SIGN_IN: tuple[Endpoint, ...] = (PERSON_TOKEN, PERSON_INFO)

ALL: dict[str, Endpoint] = {
    endpoint.name: endpoint for endpoint in (*WRITES, TENANT_TOKEN, *READS, *MESSAGES, *SIGN_IN)
}
