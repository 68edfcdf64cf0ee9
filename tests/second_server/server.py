"""The server itself: threads, routes, tokens, and the memory of what was asked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from . import reads, writes
from .company import Company, a_company
from .wire import Call, Effect, Refusal, Request, is_a, parsed

APP_ID, APP_SECRET = "cli_second", "second-secret"
Endpoint = Callable[[Call], dict[str, Any]]

# Row of the endpoint index: method, path, what answers.
ENDPOINTS: dict[str, tuple[str, str, Endpoint]] = {
    "A1": ("POST", "hire/v1/talents/:talent_id/onboard_status", writes.talent_status),
    "A2": ("PATCH", "hire/v1/employees/:employee_id", writes.employee_status),
    "A3": (
        "POST",
        "hire/v1/applications/:application_id/transfer_onboard",
        writes.transfer_onboard,
    ),
    "A4": ("POST", "corehr/v2/offboardings/edit", writes.edit_offboarding),
    "A5": ("PATCH", "corehr/v1/pre_hires/:pre_hire_id", writes.update_pre_hire),
    "H1": ("GET", "hire/v1/talents", reads.talents),
    "H3": ("GET", "hire/v2/talents/:talent_id", reads.talent),
    "H5": ("GET", "hire/v1/applications", reads.applications),
    "H6": ("GET", "hire/v1/applications/:application_id", reads.application),
    "H7": ("GET", "hire/v1/applications/:application_id/get_detail", reads.application_detail),
    "H9": ("GET", "hire/v1/job_processes", reads.job_processes),
    "H11": ("GET", "hire/v1/employees/get_by_application", reads.employee_by_application),
    "H10": ("GET", "hire/v1/employees/:employee_id", reads.employee),
    "locations": ("GET", "hire/v1/locations", reads.locations),
    "job_requirements": ("GET", "hire/v1/job_requirements", reads.job_requirements),
    "P1": ("GET", "corehr/v1/pre_hires", reads.pre_hires),
    "P2": ("GET", "corehr/v1/pre_hires/:pre_hire_id", reads.pre_hire),
    "P3": ("POST", "corehr/v2/pre_hires/search", reads.search_pre_hires),
    "O1": ("POST", "corehr/v1/offboardings/search", reads.search_offboardings),
    "O2": ("POST", "corehr/v1/offboardings/query", reads.offboarding_reasons),
    "R1": ("POST", "corehr/v2/employees/batch_get", reads.employments),
    "R3": ("GET", "corehr/v1/custom_fields/query", reads.custom_fields),
    "R4": ("GET", "corehr/v1/custom_fields/get_by_param", reads.custom_field),
    "R6": ("GET", "corehr/v1/employee_types", reads.employee_types),
    "R7": ("POST", "corehr/v2/departments/search", reads.departments),
    "R8": ("POST", "corehr/v2/departments/batch_get", reads.departments_by_id),
    "R9": ("POST", "corehr/v2/cost_centers/search", reads.cost_centers),
    "R10": ("GET", "corehr/v1/job_levels", reads.job_levels),
    "R12": ("POST", "corehr/v1/common_data/id/convert", reads.convert_ids),
    "R13": ("GET", "contact/v3/users/batch", reads.users),
}
TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"
WRITES = ("A1", "A2", "A3", "A4", "A5")
ROUTES = [
    (
        name,
        method,
        re.compile("/open-apis/" + re.sub(r":(\w+)", r"(?P<\1>[^/]+)", path) + "$"),
        endpoint,
    )
    for name, (method, path, endpoint) in ENDPOINTS.items()
]


class SecondServer:
    """Feishu for one test: `with SecondServer() as server: ... server.url`."""

    def __init__(self, company: Company | None = None) -> None:
        self.start_afresh(company)
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.second = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def start_afresh(self, company: Company | None = None) -> None:
        """Another company, nothing remembered."""
        self.company = company or a_company()
        self.lock = threading.Lock()
        self.requests: list[Request] = []
        self.effects: list[Effect] = []
        self.findings: list[str] = []
        self.tokens = 0
        self.silences: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> SecondServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def asked(self, *names: str) -> list[Request]:
        """The requests for these rows of the endpoint index."""
        return [request for request in self.requests if request.name in names]

    @property
    def writes(self) -> list[Request]:
        return self.asked(*WRITES)

    def forget(self) -> None:
        """Forget what was asked and done so far."""
        self.requests.clear()
        self.effects.clear()

    def keep_silent(self, name: str, *, after_doing_it: bool) -> None:
        """The next call of this endpoint gets no answer; it is carried out, or not."""
        self.silences[name] = "after" if after_doing_it else "before"

    # One request.
    def answer(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        """HTTP status and body; None where the connection just ends."""
        with self.lock:
            self.requests.append(request)
            if request.path == TOKEN_PATH:
                return self._token(request)
            try:
                return self._answered(request)
            except Refusal as refusal:
                request.http_status, request.code = refusal.http_status, refusal.code
                error: dict[str, Any] = {"log_id": f"second-{len(self.requests)}"}
                if refusal.field:
                    violation = {"field": refusal.field, "description": refusal.msg}
                    error["field_violations"] = [violation]
                body = {"code": refusal.code, "msg": refusal.msg, "error": error}
                return refusal.http_status, body

    def _answered(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        endpoint = self._route(request)
        self._check_token(request)
        if endpoint is None:
            self.findings.append(f"{request.method} {request.path} is not among the pages")
            raise Refusal(404, 99991201, "no such path")
        call = Call(request, self.company, self.findings, self.effects)
        self._read_body(call)
        silence = self.silences.pop(request.name, "")
        if silence == "before":
            return None
        data = endpoint(call)
        request.http_status, request.code = 200, 0
        return None if silence else (200, {"code": 0, "msg": "success", "data": data})

    def _route(self, request: Request) -> Endpoint | None:
        for name, method, pattern, endpoint in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method:
                request.name = name
                request.ids = {key: unquote(value) for key, value in match.groupdict().items()}
                return endpoint
        return None

    def _read_body(self, call: Call) -> None:
        request = call.request
        if request.method == "GET":
            if request.raw:
                call.found("a read with a body")
            return
        if request.headers.get("content-type") != "application/json; charset=utf-8":
            call.found(f"Content-Type {request.headers.get('content-type')}")
        try:
            request.body = parsed(request.raw)
        except ValueError as error:
            raise call.wrong("body", "is no JSON") from error

    def _check_token(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given:
            raise Refusal(400, 99991661, "no token")
        if not re.fullmatch(r"Bearer t-second-\d+", given):
            raise Refusal(400, 99991671, "malformed token")
        if given != f"Bearer t-second-{self.tokens}":
            raise Refusal(400, 99991663, "token expired or invalid")

    def expire_token(self) -> None:
        """The token handed out is no longer good."""
        self.tokens += 1

    def _token(self, request: Request) -> tuple[int, dict[str, Any]]:
        """B1: the token stands at the top level, without `data`."""
        request.name = "B1"
        try:
            body = request.body = parsed(request.raw)
        except ValueError:
            body = None
        fields = ("app_id", "app_secret")
        if not isinstance(body, dict) or not all(is_a(body.get(name), str) for name in fields):
            return 400, {"code": 10003, "msg": "invalid param"}
        if "authorization" in request.headers:
            self.findings.append("B1: a token sent to the token call")
        if (body["app_id"], body["app_secret"]) != (APP_ID, APP_SECRET):
            return 400, {"code": 10015, "msg": "app secret invalid"}
        self.tokens = self.tokens or 1
        token = f"t-second-{self.tokens}"
        return 200, {"code": 0, "msg": "ok", "tenant_access_token": token, "expire": 7200}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    second: SecondServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together, or each answer waits for the reader's delayed ACK.
    wbufsize = 1 << 16
    server: _Http

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            raw=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        answer = self.server.second.answer(request)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("X-Tt-Logid", f"second-{len(self.server.second.requests)}")
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the test reads `requests`."""
