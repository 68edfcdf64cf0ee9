"""HTTP status and text per (endpoint, code), as the documentation prints them.

The same number has another status elsewhere (1002908 is 400 on A2 and 500 on A3), so the pair is the key.
Where a page gives no code or status for a case, the comment says what was chosen.
"""

_A4 = {
    1160102: "parameter is illegal",
    1160103: "general internal server error code",
    1160200: "has approving transform",
    1160203: "no current contract",
    1160204: "has future contract",
    1160205: "contract has actual end date",
    1160300: "the department has been disable on the date of offboarding",
    1160304: "company id not found",
    1160601: "offboarding is earlier than onboarding",
    1160602: "offboarding is earlier than probation",
    1160603: "offboarding is earlier than transform",
    1160604: "reason explanation length exceed maximum",
    1160607: "offboarding is earlier than contract start date",
    1160608: "offboarding is later than contract end date",
    1160610: "has no permission to edit this offboarding",
    1160617: "hyperlink field format is illegal",
    1160618: "text field exceeds maximum limit",
    1160619: "enum value of the enum field is invalid",
    1160623: "not allowed to edit this offboarding",
    1160624: "operator does not exist",
    1160625: "offboarding does not exist",
    1160630: "invalid number value",
    1160631: "employee is not exist or has offboarded",
    1160636: "custom employment does not exist",
    1160637: "not support edit attachment",
    1160638: "invalid date time value",
    1160639: "invalid bool value",
    1160700: "non compete agreement field value is illegal",
    1160710: "invalid block list",
    1161000: "unknown error",
    # Printed by the page of 2026-01-07 only.
    1161001: "offboarding change is in approval",
    1161002: "offboarding withdrawal is in approval",
}
_A5 = {
    1161019: "Duplicate cost center",
    1161020: "The number of allocation proportion must be an integer from 1 to 100",
    1161021: "Incomplete cost center data",
    1161022: "No cost centers found",
    1161023: "The total allocation proportion of all cost centers must be 100%",
    1161024: "Cost center is deactivated",
    1161025: "Cost center will be disabled",
}
_GATEWAY = {
    9499: "Bad Request",
    10003: "invalid param",
    10015: "app secret invalid",
    99991201: "path not found",
    99991301: "method not allowed",
    99991400: "request trigger frequency limit",
    99991661: "Missing access token for authorization. Please make a request with token attached.",
    99991663: "Invalid access token for authorization. Please make a request with token attached.",
    99991668: "Invalid access token for authorization. This API does not take user tokens.",
    99991671: "Invalid access token for authorization. The token must start with 't-' or 'u-'.",
    99992402: "field validation failed",
}

_TEXTS: dict[int, str] = {
    **_GATEWAY,
    40001: "param error",
    41012: "user id invalid error",
    41050: "no user authority error",
    230001: "Your request contains an invalid request parameter.",
    230006: "Bot ability is not activated.",
    230011: "The message was recalled.",
    230013: "Bot has NO availability to this user.",
    230020: "This operation triggers the frequency limit.",
    230022: "The content of the message contains sensitive information.",
    230025: "The length of the message content reaches its limit.",
    230027: "Lack of necessary permissions.",
    230028: "The messages do NOT pass the audit.",
    230029: "User has resigned.",
    230031: "Message can only be updated within 14 days.",
    230034: "The receive_id is invalid.",
    230035: "Send Message Permission deny.",
    230038: "Cross tenant operation is not allowed.",
    230049: "The message is being sent.",
    230053: "The user has stopped receiving messages from the bot.",
    230099: "Failed to create card content.",
    230110: "Action unavailable as the message has been deleted.",
    1002001: "system error",
    1002002: "param error",
    1002102: "talent not found",
    1002201: "application not found",
    1002210: "talent is locked by other application",
    1002901: "application not found",
    1002902: "current status does not support this operation",
    1002903: "employee not found",
    1002904: "employee already onboarded",
    1002905: "invalid time",
    1002907: "employee is not allowed to cancel overboard",
    1002908: "EHR sync switch is off",
    1002910: "candidate has been synced to CoreHR",
    1160001: "param is invalid",
    1160005: "object_api_name_list is empty",
    1160006: "object_api_name or custom_api_name is empty",
    1160009: "page_token is invalid",
    1160104: "time range needs both ends",
    1161105: "pre hire does not exist",
    1162010: "object does not exist",
    1162020: "field does not exist",
    1164301: "param is invalid",
}

STATUSES: dict[tuple[str, int], int] = {
    ("A1", 1002001): 500,
    ("A1", 1002002): 400,
    ("A2", 1002001): 500,
    **{
        ("A2", code): 400
        for code in (1002002, 1002902, 1002903, 1002905, 1002907, 1002908, 1002910)
    },
    **{("A3", code): 500 for code in (1002001, 1002908, 1002210)},
    **{("A3", code): 400 for code in (1002002, 1002902, 1002904, 1002905)},
    ("A3", 1002901): 404,
    **{("A4", code): 400 for code in _A4},
    **{("A5", code): 400 for code in _A5},
    ("A5", 1160025): 500,
    # L4's page prints HTTP 200 for what it refuses.
    **{("L4", code): 200 for code in (20001, 20005, 20008, 20021, 20022, 20023)},
    ("L2", 20050): 500,
    ("L2", 20072): 503,
    ("L4", 20050): 500,
    ("H2", 1002102): 404,
    ("H3", 1002102): 404,
}
_STATUSES_ANYWHERE = {1002001: 500, 99991201: 404, 99991301: 405, 99991400: 429}


def http_status(endpoint: str, code: int) -> int:
    """Gateway codes without a documented status are answered with 400, as seen for 99991661 and 99991672."""
    return STATUSES.get((endpoint, code)) or _STATUSES_ANYWHERE.get(code, 400)


def text(endpoint: str, code: int) -> str:
    if endpoint == "A4" and code in _A4:
        return _A4[code]
    if endpoint == "A5" and code in _A5:
        return _A5[code]
    if (endpoint, code) == ("A5", 1160025):
        return "Please check description"
    return _TEXTS.get(code) or _A4.get(code) or "error"
