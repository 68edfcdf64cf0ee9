"""The second server itself: it answers as the pages say, for requests written out here."""

from __future__ import annotations

import json
from datetime import date, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest

from .company import Company, ms, today
from .server import APP_ID, APP_SECRET, ENDPOINTS, SecondServer

NOW_MS = ms(today())
OPEN_IDS = {
    "user_id_type": "open_id",
    "department_id_type": "open_department_id",
    "job_level_id_type": "job_level_id",
    "job_family_id_type": "job_family_id",
    "employee_type_id_type": "employee_type_enum_id",
}


@pytest.fixture
def server(second_server: SecondServer) -> SecondServer:
    second_server.start_afresh()
    return second_server


@pytest.fixture
def company(server: SecondServer) -> Company:
    return server.company


class Asker:
    """Asks as a program would, with a token."""

    def __init__(self, server: SecondServer) -> None:
        self.base_url = server.url
        credentials = {"app_id": APP_ID, "app_secret": APP_SECRET}
        path = "/open-apis/auth/v3/tenant_access_token/internal"
        self.token = self.raw("POST", path, credentials, token="")[1]["tenant_access_token"]

    def raw(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection(self.base_url.removeprefix("http://"), timeout=5)
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        try:
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def __call__(self, name: str, body: Any = None, *, id: str = "", **query: Any) -> Any:
        method, path, _ = ENDPOINTS[name]
        path = "/".join(id if part.startswith(":") else part for part in path.split("/"))
        text = urlencode(query, doseq=True)
        return self.raw(method, f"/open-apis/{path}{'?' if text else ''}{text}", body)

    def code(self, name: str, body: Any = None, **more: Any) -> tuple[int, int]:
        status, answer = self(name, body, **more)
        return status, answer["code"]


@pytest.fixture
def ask(server: SecondServer) -> Asker:
    return Asker(server)


class TestToken:
    def test_stands_at_the_top_level(self, ask):
        assert ask.token.startswith("t-")

    @pytest.mark.parametrize(
        ("token", "code"), [("", 99991661), ("nonsense", 99991671), ("t-second-99", 99991663)]
    )
    def test_is_demanded(self, ask, token, code):
        status, answer = ask.raw("GET", "/open-apis/hire/v1/talents", token=token)
        assert (status, answer["code"]) == (400, code)

    def test_wrong_secret(self, ask):
        path = "/open-apis/auth/v3/tenant_access_token/internal"
        answer = ask.raw("POST", path, {"app_id": APP_ID, "app_secret": "x"}, token="")[1]
        assert answer["code"] == 10015


class TestTalentStatus:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"operation": "1", "onboard_time": str(NOW_MS)},
            {"operation": True, "onboard_time": str(NOW_MS)},
            {"operation": 3, "onboard_time": str(NOW_MS)},
            {"operation": 1},
            {"operation": 1, "onboard_time": NOW_MS},
            {"operation": 1, "onboard_time": str(NOW_MS // 1000)},
            {"operation": 1, "onboard_time": "2026-01-01"},
            {"operation": 1, "overboard_time": str(NOW_MS)},
            {"operation": 2, "onboard_time": str(NOW_MS)},
        ],
        ids=str,
    )
    def test_refuses_what_the_page_does_not_allow(self, ask, server, company, body):
        talent = next(t for t in company.talents.values() if not t.mark)
        assert ask.code("A1", body, id=talent.id) == (400, 1002002)
        assert server.effects == []

    def test_once_left_a_talent_is_not_onboarded_again(self, ask, server, company):
        talent = next(t for t in company.talents.values() if not t.mark)
        onboard = {"operation": 1, "onboard_time": str(NOW_MS)}
        assert ask.code("A1", onboard, id=talent.id) == (200, 0)
        assert ask.code("A1", onboard, id=talent.id) == (400, 1002002)
        leave = {"operation": 2, "overboard_time": str(NOW_MS)}
        assert ask.code("A1", leave, id=talent.id) == (200, 0)
        assert ask.code("A1", onboard, id=talent.id) == (400, 1002002)
        assert [effect.done for effect in server.effects] == ["onboarded", "left"]

    def test_takes_the_sample_of_the_page(self, ask, server, company):
        talent = next(t for t in company.talents.values() if not t.mark)
        sample = {
            "operation": 1,
            "onboard_time": "1676548784889",
            "overboard_time": "1676548784890",
        }
        assert ask("A1", sample, id=talent.id) == (
            200,
            {"code": 0, "msg": "success", "data": {}},
        )
        assert server.findings == []


CONVERT = {"operation": 1, "conversion_info": {"actual_conversion_time": NOW_MS}}
OFFBOARD = {"operation": 2, "overboard_info": {"actual_overboard_time": NOW_MS}}


class TestEmployeeStatus:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"operation": True, "conversion_info": {}},
            {"operation": "1", "conversion_info": {}},
            {"operation": 6},
            {"operation": 1},
            {"operation": 2},
            {"operation": 1, "conversion_info": []},
            {"operation": 1, "conversion_info": {"actual_conversion_time": str(NOW_MS)}},
            {"operation": 1, "conversion_info": {"actual_conversion_time": float(NOW_MS)}},
            {"operation": 2, "overboard_info": {"overboard_note": 5}},
        ],
        ids=str,
    )
    def test_refuses_what_the_page_does_not_allow(self, ask, server, company, body):
        employee = next(iter(company.employees.values()))
        assert ask.code("A2", body, id=employee.id) == (400, 1002002)
        assert server.effects == []

    def test_speaks_the_documented_refusals(self, ask, server, company):
        on_probation = next(e for e in company.employees.values() if e.conversion_status == 1)
        left = next(e for e in company.employees.values() if e.onboard_status == 2)
        synced = next(e for e in company.employees.values() if e.synced_to_corehr)
        early = {"operation": 1, "conversion_info": {"actual_conversion_time": 1600000000000}}
        seconds = {"operation": 1, "conversion_info": {"actual_conversion_time": NOW_MS // 1000}}
        for id_, body, code in (
            ("7", CONVERT, 1002903),
            (synced.id, CONVERT, 1002910),
            (left.id, CONVERT, 1002902),
            (left.id, OFFBOARD, 1002902),
            (on_probation.id, {"operation": 5}, 1002902),
            (on_probation.id, {"operation": 4}, 1002907),
            (on_probation.id, early, 1002905),
            (on_probation.id, seconds, 1002905),
        ):
            assert ask.code("A2", body, id=id_) == (400, code)
        company.ehr_switch = False
        assert ask.code("A2", CONVERT, id=on_probation.id) == (400, 1002908)
        assert server.effects == []

    def test_refuses_an_id_type_the_page_does_not_have(self, ask, company):
        employee = next(iter(company.employees.values()))
        answer = ask.code("A2", CONVERT, id=employee.id, user_id_type="people_corehr_id")
        assert answer == (400, 1002002)

    def test_answers_in_the_id_types_asked_for(self, ask, company):
        employee = next(iter(company.employees.values()))
        record = ask("A2", CONVERT, id=employee.id, **OPEN_IDS)[1]["data"]["employee"]
        assert record["leader"] == employee.leader.ids["open_id"]
        assert record["department"] == employee.department.ids["open_department_id"]
        by_default = ask("H10", id=employee.id)[1]["data"]["employee"]
        retiring = employee.department.ids["people_admin_department_id"]
        assert by_default["department"] == retiring

    @pytest.mark.parametrize("stays", [True, False])
    def test_back_to_pre_hire(self, ask, company, stays):
        company.restored_employees_stay = stays
        employee = next(iter(company.employees.values()))
        assert ask.code("A2", {"operation": 3}, id=employee.id) == (200, 0)
        assert employee.application.stage == 6
        assert ask.code("H10", id=employee.id) == ((200, 0) if stays else (400, 1002903))

    def test_notes_fields_that_are_not_on_the_page(self, ask, server, company):
        employee = next(iter(company.employees.values()))
        assert ask.code("A2", CONVERT | {"note": "x"}, id=employee.id, foo="1") == (200, 0)
        assert len(server.findings) == 2


class TestTransferOnboard:
    @pytest.mark.parametrize(
        "body",
        [
            {"actual_onboard_time": str(NOW_MS)},
            {"actual_onboard_time": True},
            {"leader": "ou_unknown"},
            {"department": 5},
            {"onboard_city_code": "CT_9"},
            {"level": None},
        ],
        ids=str,
    )
    def test_refuses_what_the_page_does_not_allow(self, ask, server, company, body):
        candidate = next(a for a in company.applications.values() if a.stage == 6)
        assert ask.code("A3", body, id=candidate.id) == (400, 1002002)
        assert server.effects == []

    def test_speaks_the_documented_refusals(self, ask, server, company):
        candidates = [a for a in company.applications.values() if a.stage == 6]
        onboarded = next(a for a in company.applications.values() if a.stage == 7)
        candidates[1].stage = 4
        candidates[2].talent.locked_by = "another"
        tomorrow = {"actual_onboard_time": ms(today() + timedelta(days=1))}
        for id_, body, refused in (
            ("7", {}, (404, 1002901)),
            (onboarded.id, {}, (400, 1002904)),
            (candidates[1].id, {}, (400, 1002902)),
            (candidates[2].id, {}, (500, 1002210)),
            (candidates[0].id, tomorrow, (400, 1002905)),
        ):
            assert ask.code("A3", body, id=id_) == refused
        company.ehr_switch = False
        assert ask.code("A3", {}, id=candidates[0].id) == (500, 1002908)
        assert server.effects == []

    def test_makes_an_employee_of_the_candidate(self, ask, server, company):
        candidate = next(a for a in company.applications.values() if a.stage == 6)
        requirement = next(iter(company.job_requirements.values()))
        body = {"job_requirement_id": requirement.id}
        body |= {"expected_conversion_time": ms(today() + timedelta(days=90))}
        record = ask("A3", body, id=candidate.id)[1]["data"]["employee"]
        assert (record["onboard_status"], record["conversion_status"]) == (1, 1)
        assert requirement.onboarded == 1
        assert candidate.talent.is_onboarded
        found = ask("H11", application_id=candidate.id)[1]["data"]["employee"]
        assert found["id"] == record["id"]
        detail = ask("H7", id=candidate.id, options="with_employee")[1]["data"]
        assert detail["application_detail"]["basic_info"]["onboard_status"] == 2
        assert detail["application_detail"]["employee"]["onboard_time"] == str(
            record["onboard_time"]
        )
        assert len(server.effects) == 1


def edit(record: Any, **values: str) -> dict[str, Any]:
    changes = [{"field_name": name, "value": value} for name, value in values.items()]
    return {"offboarding_id": record.id, "update_data": changes}


class TestEditOffboarding:
    @pytest.fixture
    def record(self, company: Company) -> Any:
        for type_, name, facts in (
            (2, "flag__c", {}),
            (3, "sum__c", {}),
            (5, "person__c", {}),
            (8, "file__c", {}),
            (1, "link__c", {"is_url": True}),
            (4, "several__c", {"multiple": True, "options": ("a", "b")}),
        ):
            company.custom("offboarding_info", name, type_, **facts)
        return next(iter(company.offboardings.values()))

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"status": "x"}, 1160623),
            ({"hrbp_ids": "x"}, 1160623),
            ({"no_such_field": "x"}, 1160102),
            ({"offboarding_date": "2026/03/31"}, 1160638),
            ({"offboarding_date": "2026-02-30"}, 1160638),
            ({"offboarding_date": "2019-01-01"}, 1160601),
            ({"reason": "nothing"}, 1160619),
            ({"reason_explanation": "长" * 6001}, 1160604),
            ({"note__c": "x" * 256}, 1160618),
            ({"flag__c": "True"}, 1160639),
            ({"sum__c": "1,5"}, 1160630),
            ({"person__c": "ou_1"}, 1160636),
            ({"file__c": "x"}, 1160637),
            ({"link__c": "example.com"}, 1160617),
            ({"several__c": "a"}, 1160619),
            ({"several__c": '["a","c"]'}, 1160619),
            ({"block_reason": "option_1"}, 1160710),
            ({"add_block_list": "true"}, 1160710),
            ({"noncompete_agreement_start_date": "x"}, 1160700),
            ({"noncompete_agreement_company": "x"}, 1160304),
        ],
        ids=str,
    )
    def test_refuses_bad_values(self, ask, server, record, values, code):
        answer = ask.code("A4", edit(record, **values))
        assert answer == (400, code)
        assert server.effects == []

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"outside_data_scope": True}, 1160610),
            ({"status": "Offboarded"}, 1160631),
            ({"status": "Approving"}, 1160623),
            ({"change_in_approval": True}, 1161001),
            ({"withdrawal_in_approval": True}, 1161002),
            ({"transform_in_approval": True}, 1160200),
            ({"probation_start": date(2026, 3, 2)}, 1160602),
            ({"last_transform": date(2026, 3, 2)}, 1160603),
            ({"contract_ended_on": date(2026, 1, 1)}, 1160205),
            ({"future_contract": True}, 1160204),
            ({"has_contract": False}, 1160203),
            ({"contract_start": date(2026, 3, 2)}, 1160607),
            ({"contract_end": date(2026, 2, 27)}, 1160608),
            ({"department_disabled_from": date(2026, 3, 1)}, 1160300),
        ],
        ids=str,
    )
    def test_speaks_the_documented_refusals(self, ask, server, record, facts, code):
        record.employment.since = date(2020, 1, 1)
        for name, value in facts.items():
            setattr(record, name, value)
        assert ask.code("A4", edit(record, offboarding_date="2026-03-01")) == (400, code)
        assert server.effects == []

    @pytest.mark.parametrize(
        "change",
        [
            {"update_data": []},
            {"offboarding_id": ""},
            {"update_data": [{"field_name": "note__c", "value": 5}]},
            {"update_data": [{"field_name": "note__c"}]},
            {"update_data": {"note__c": "x"}},
            {"operator_id": 5},
        ],
        ids=str,
    )
    def test_refuses_what_the_page_does_not_allow(self, ask, record, change):
        assert ask.code("A4", edit(record, note__c="x") | change) == (400, 1160102)

    def test_knows_no_such_record_or_operator(self, ask, record):
        body = edit(record, note__c="x")
        assert ask.code("A4", body | {"offboarding_id": "7"}) == (400, 1160625)
        assert ask.code("A4", body | {"operator_id": "ou_1"}) == (400, 1160624)
        open_id = record.employment.user.ids["open_id"]
        assert ask.code("A4", body | {"operator_id": open_id}) == (400, 1160624)
        answer = ask.code("A4", body | {"operator_id": open_id}, user_id_type="open_id")
        assert answer == (200, 0)

    def test_all_or_nothing(self, ask, server, record):
        before = dict(record.values)
        assert ask.code("A4", edit(record, note__c="x", flag__c="maybe")) == (400, 1160639)
        assert record.values == before
        status, answer = ask("A4", edit(record, note__c="x", offboarding_date="2026-12-31"))
        assert status == 200
        assert answer["data"]["data"][0] == {"field_name": "note__c", "value": "x"}
        assert len(server.effects) == 1

    def test_is_read_back_through_the_search(self, ask, record):
        ask("A4", edit(record, reason_explanation="搬家", add_block_list="false", note__c="x"))
        answer = ask("O1", {"statuses": ["Approved"]}, page_size=100)[1]["data"]
        found = next(one for one in answer["items"] if one["offboarding_id"] == record.id)
        assert found["offboarding_info"]["reason_explanation"] == "搬家"
        assert found["offboarding_info"]["add_block_list"] == "false"
        assert found["offboarding_info"]["custom_fields"][0]["value"] == "x"


class TestUpdatePreHire:
    BODY = {"onboarding_status": {"enum_name": "preboarding"}}

    @pytest.fixture
    def record(self, company: Company) -> Any:
        return next(iter(company.pre_hires.values()))

    @pytest.mark.parametrize(
        ("split", "code"),
        [
            ([("A", 50), ("A", 50)], 1161019),
            ([("A", 0), ("B", 100)], 1161020),
            ([("A", 50.5), ("B", 49.5)], 1161020),
            ([("A", "100")], 1161020),
            ([("A", True)], 1161020),
            ([("", 100)], 1161021),
            ([("X", 100)], 1161022),
            ([("A", 50), ("B", 40)], 1161023),
            ([("C", 100)], 1161024),
            ([("D", 100)], 1161025),
        ],
        ids=str,
    )
    def test_refuses_bad_splits(self, ask, server, company, record, split, code):
        made = {
            "A": company.cost_center("A").id,
            "B": company.cost_center("B").id,
            "C": company.cost_center("C", active=False).id,
            "D": company.cost_center("D", closing=True).id,
        }
        rows = [{"cost_center_id": made.get(name, name), "rate": rate} for name, rate in split]
        answer = ask.code("A5", self.BODY | {"cost_center_rate": rows}, id=record.id)
        assert answer == (400, code)
        assert server.effects == []

    @pytest.mark.parametrize(
        "body",
        [
            {"hire_date": "2026-01-01"},
            {"onboarding_status": {"enum_name": "type_1"}},
            {"onboarding_status": "preboarding"},
            BODY | {"hire_date": "2026-1-1"},
            BODY | {"worker_id": 5},
            BODY | {"custom_fields": [{"field_name": "badge__c", "value": "no quotes"}]},
            BODY | {"custom_fields": [{"field_name": "badge__c", "value": "5"}]},
        ],
        ids=str,
    )
    def test_refuses_what_the_page_does_not_allow(self, ask, server, record, body):
        assert ask.code("A5", body, id=record.id) == (400, 1160001)
        assert server.effects == []

    def test_the_same_token_is_the_same_request(self, ask, server, record):
        body = self.BODY | {"hire_date": "2026-02-02"}
        for _ in range(2):
            status, answer = ask("A5", body, id=record.id, client_token="t1")
            assert (status, answer["data"]["pre_hire"]["hire_date"]) == (200, "2026-02-02")
        assert len(server.effects) == 1

    def test_is_read_back(self, ask, record):
        fields = [{"field_name": "badge__c", "value": '"蓝色"'}]
        ask("A5", self.BODY | {"custom_fields": fields}, id=record.id)
        found = ask("P2", id=record.id)[1]["data"]["pre_hire"]
        assert found["custom_fields"] == fields
        assert found["onboarding_status"]["enum_name"] == "preboarding"
        wanted = {"pre_hire_ids": [record.id], "fields": ["onboarding_info.onboarding_status"]}
        (item,) = ask("P3", wanted, page_size=10)[1]["data"]["items"]
        assert item == {
            "pre_hire_id": record.id,
            "onboarding_info": {"onboarding_status": "preboarding"},
        }


LISTS = [
    ("H1", None, 20, {}),
    ("H5", None, 200, {}),
    ("H9", None, 100, {}),
    ("P1", None, 100, {}),
    ("P3", {}, 100, {}),
    ("O1", {}, 100, {}),
    ("R6", None, 1999, {}),
    ("R7", {}, 100, {}),
    ("R9", {}, 100, {}),
    ("R10", None, 100, {}),
]


class TestLists:
    @pytest.mark.parametrize(("name", "body", "most", "query"), LISTS, ids=lambda one: str(one))
    def test_page_sizes_have_their_bounds(self, ask, name, body, most, query):
        assert ask(name, body, page_size=most, **query)[0] == 200
        for size in (0, most + 1, "x"):
            assert ask(name, body, page_size=size, **query)[0] == 400
        if name not in ("H1", "H5", "H9"):
            assert ask(name, body, **query)[0] == 400

    @pytest.mark.parametrize("name", ["H1", "H5"])
    def test_pages_hold_everything_once(self, ask, company, name):
        seen, token = [], {}
        while True:
            page = ask(name, page_size=7, **token)[1]["data"]
            seen += [item if isinstance(item, str) else item["id"] for item in page["items"]]
            if not page["has_more"]:
                assert "page_token" not in page
                break
            token = {"page_token": page["page_token"]}
        everything = company.talents if name == "H1" else company.applications
        assert sorted(seen) == sorted(everything)

    def test_applications_by_their_lock(self, ask, company):
        one, other, *_ = company.applications.values()
        one.talent.locked_by, other.talent.locked_by = one.id, "another"
        assert ask("H5", lock_status=3)[1]["data"]["items"] == [one.id]
        assert ask("H5", lock_status=2)[1]["data"]["items"] == [other.id]
        everything = ask("H5", lock_status=[1, 2, 3], page_size=200)[1]["data"]["items"]
        assert everything == list(company.applications)

    def test_an_empty_list_of_talents_is_an_error(self, ask, company):
        company.talents.clear()
        assert ask("H1")[0] == 400
        assert ask("H1", query_option="ignore_empty_error")[0] == 200

    def test_no_fields_asked_none_given(self, ask, company):
        employment = next(iter(company.employments.values()))
        open_id = employment.user.ids["open_id"]
        assert ask("R1", {"employment_ids": [open_id]})[1]["data"]["items"] == [
            {"employment_id": open_id}
        ]
        assert all(len(item) == 1 for item in ask("R7", {}, page_size=9)[1]["data"]["items"])

    def test_half_a_range_is_refused(self, ask):
        body = {"offboarding_date_start": "2026-01-01"}
        assert ask.code("O1", body, page_size=10) == (400, 1160104)

    def test_ids_are_converted(self, ask, company):
        user = company.users[0]
        for way, asked, found in (
            (2, user.ids["open_id"], user.ids["people_corehr_id"]),
            (1, user.ids["people_corehr_id"], user.ids["open_id"]),
        ):
            body = {"ids": [asked]}
            items = ask("R12", body, id_transform_type=way, id_type="user_id")[1]["data"]["items"]
            assert items == [{"id": asked, "target_id": found}]

    def test_fields_are_described(self, ask):
        items = ask("R3", object_api_name_list="offboarding_info")[1]["data"]["items"]
        assert {item["custom_api_name"] for item in items} == {"next_step__c", "note__c"}
        known = {"object_api_name": "offboarding_info", "custom_api_name": "offboarding_date"}
        assert ask("R4", **known)[1]["data"]["data"]["type"] == 7
        assert ask.code("R4", **known | {"custom_api_name": "x"}) == (400, 1162020)
