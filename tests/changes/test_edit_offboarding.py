"""Editing an offboarding record, against a real HTTP tenant."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from lifecycle import remote
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.kinds.edit_offboarding import edits_in
from lifecycle.changes.kinds.offboarding_record import (
    STANDARD_FIELDS,
    offboarding_fields,
    texts_of,
)
from lifecycle.errors.problems import ChangeBlocked, InvalidValues
from lifecycle.models import ActionEntry, CatalogueEntry, Employment, Offboarding, StatusChange
from lifecycle.remote import writes
from lifecycle.services import sync
from lifecycle.views import change_words
from tests.offboardings import (
    KINDS,
    an_approved_offboarding,
    offboarding,
    typed_in,
)

A4 = "A4"
KIND = kind_named("edit_offboarding")
LATER = timedelta(minutes=10)
CODES = [
    "1160102", "1160103", "1160200", "1160203", "1160204", "1160205", "1160300", "1160304",
    "1160601", "1160602", "1160603", "1160604", "1160607", "1160608", "1160610", "1160617",
    "1160618", "1160619", "1160623", "1160624", "1160625", "1160630", "1160631", "1160636",
    "1160637", "1160638", "1160639", "1160700", "1160710", "1161000", "1161001", "1161002",
]  # fmt: skip
# What nothing we can read tells beforehand; Feishu's refusal is explained.
EXPLAINED = {
    "1160200", "1160203", "1160204", "1160205", "1160300", "1160304", "1160602", "1160603",
    "1160607", "1160608", "1160610", "1161001", "1161002",
}  # fmt: skip
# Feishu's own errors: nobody knows what became of the request.
UNCLEAR = {"1160103", "1161000"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(mirrored):
    return mirrored(*KINDS)


@pytest.fixture
def leaver(tenant) -> Offboarding:
    return an_approved_offboarding(tenant)


def edit(asking, record, *, operator_id="", **fields):
    values = {f"field_{name}": value for name, value in fields.items()}
    return asking.plan(record, "edit_offboarding", operator_id=operator_id, **values)


def form(record, **data):
    return KIND.form(record, data, today=timezone.localdate())


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


def written(tenant) -> list:
    return tenant.requests(writes=True)


class TestReading:
    def test_lists_within_lists_do_not_grow_with_each_level(self, tenant):
        deep = "[" * 25 + '"x"' + "]" * 25
        payload = {"offboarding_info": {"noncompete_agreement_company": json.loads(deep)}}
        text = texts_of(payload, offboarding_fields())["noncompete_agreement_company"]
        assert json.loads(json.loads(text)[0]) == json.loads(deep)[0]
        assert len(text) < 200


class TestEditOffboarding:
    def test_sends_the_changed_field_alone(self, asking, leaver, tenant, worker):
        plan = edit(asking, leaver, reason_explanation="另有安排", retain_account=False)
        change = worker(asking.confirm(plan))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        (sent,) = written(tenant)
        assert sent["body"] == {
            "offboarding_id": leaver.feishu_id,
            "update_data": [{"field_name": "reason_explanation", "value": "另有安排"}],
        }
        assert tenant.operations(leaver.feishu_id) == ["edit_offboarding"]

    def test_shows_the_new_values_before_the_next_sync(self, asking, leaver, worker):
        day = leaver.offboards_on + timedelta(days=7)
        worker(asking.ask(leaver, "edit_offboarding", field_offboarding_date=day,
                          field_custom_field_4__c=Decimal("2.5")))  # fmt: skip
        leaver.refresh_from_db()
        assert leaver.offboards_on == day
        assert edits_in(leaver, {"field_custom_field_4__c": Decimal("2.5")}) == []

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("custom_field_1__c", "Sandy", "Sandy"),
            ("custom_field_2__c", "第一行\n<b>第二行</b> 🙂", "第一行\n<b>第二行</b> 🙂"),
            ("custom_field_3__c", True, "true"),
            ("custom_field_4__c", Decimal("123"), "123"),
            ("custom_field_5__c", "opt_startup", "opt_startup"),
            ("custom_field_6__c", ("opt_party", "opt_alumni"), '["opt_party","opt_alumni"]'),
            ("custom_field_7__c", date(2024, 6, 30), "2024-06-30"),
            ("custom_field_8__c", "https://example.com/文档", "https://example.com/文档"),
            ("apply_finish_time", date(2026, 1, 5), "2026-01-05"),
        ],
    )
    def test_writes_each_type_as_the_page_shows(
        self, asking, leaver, tenant, worker, name, value, text
    ):
        change = worker(asking.confirm(edit(asking, leaver, **{name: value})))
        assert change.status == "succeeded"
        (sent,) = written(tenant)
        assert sent["body"]["update_data"] == [{"field_name": name, "value": text}]
        leaver.refresh_from_db()
        facts = KIND.facts(KIND.known(leaver))
        assert KIND.holds(remote.Call.from_canonical(change.payload), facts)

    def test_names_people_and_options_and_the_operator(self, asking, leaver, tenant):
        someone = Employment.objects.select_related("person").exclude(status="terminated")[0]
        plan = edit(
            asking,
            leaver,
            operator_id=someone.feishu_id,
            custom_field_9__c=someone.feishu_id,
            custom_field_5__c="opt_startup",
            reason="reason_for_offboarding_option12",
        )
        after = {field.label.zh: field.after for field in plan.fields}
        assert after["工作交接人"].zh == after["操作人"].zh == someone.person.name
        assert (after["离职去向"].zh, after["离职去向"].en) == ("创业", "Start-up")
        assert after["离职原因"].zh == "被动离职 / 合同到期"
        assert json.loads(plan.request.body_text)["operator_id"] == someone.feishu_id
        assert ("user_id_type", "people_corehr_id") in plan.request.query

    def test_is_blocked_when_nothing_changes(self, asking, leaver, tenant):
        plan = edit(asking, leaver, offboarding_date=leaver.offboards_on, retain_account=False)
        assert codes(plan.blockers) == ["plan.nothing-to-change"]
        with pytest.raises(ChangeBlocked):
            asking.confirm(plan)
        assert written(tenant) == []

    def test_keeps_free_text_out_of_the_chained_log(self, asking, leaver, worker, tenant):
        tenant.fault("drop_after", endpoint=A4)
        change = worker(asking.confirm(edit(asking, leaver, custom_field_2__c="私人原因")))
        worker(change, later=LATER)
        assert change.status == "succeeded"
        entries = ActionEntry.objects.filter(change_id=change.pk)
        assert not [entry.seq for entry in entries if "私人原因" in entry.body]

    def test_asks_the_database_the_same_however_many_fields_change(
        self, asking, leaver, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(60):
            edit(
                asking,
                leaver,
                reason_explanation="另有安排",
                custom_field_1__c="交给小林",
                custom_field_4__c=Decimal("1"),
                custom_field_5__c="opt_startup",
            )


class TestWarnings:
    def test_of_a_day_that_is_far_off_or_past_or_free(self, asking, leaver):
        sunday = leaver.offboards_on + timedelta(days=60)
        sunday += timedelta(days=6 - sunday.weekday())
        far = codes(edit(asking, leaver, offboarding_date=sunday).warnings)
        assert {"plan.departure-far-move", "plan.day-off"} <= set(far)
        past = timezone.localdate() - timedelta(days=1)
        assert "plan.departure-in-the-past" in codes(
            edit(asking, leaver, offboarding_date=past).warnings
        )

    def test_that_others_hear_of_it_and_that_nobody_promises_all_or_nothing(self, asking, leaver):
        one = edit(asking, leaver, reason_explanation="一")
        two = edit(asking, leaver, reason_explanation="一", custom_field_1__c="二")
        assert codes(one.warnings) == ["plan.edit-emits-event"]
        assert {"plan.edit-several-fields", "plan.edit-not-emptied-again"} <= set(
            codes(two.warnings)
        )


class TestForm:
    def test_is_made_from_what_the_company_keeps(self, leaver):
        with translation.override("zh-hans"):
            made = KIND.form(leaver, today=timezone.localdate())
            groups = {group.title: [field.label for field in group.fields] for group in made.groups}
        assert groups["日期"][:2] == ["离职日期", "期望离职日期"]
        assert groups["屏蔽名单"] == ["加入屏蔽名单", "屏蔽原因", "屏蔽原因说明"]
        assert "工作交接人" in groups["自定义字段"]
        assert made["field_offboarding_date"].value() == leaver.offboards_on
        assert made["field_custom_field_5__c"].value() in ("opt_peer", "opt_study")

    def test_offers_nothing_that_cannot_be_edited(self, leaver):
        made = KIND.form(leaver, today=timezone.localdate())
        offered = {name.removeprefix("field_") for name in made.fields}
        assert not offered & writes.FIXED_OFFBOARDING_FIELDS
        assert not offered & {"custom_field_10__c", "custom_field_11__c"}

    def test_speaks_the_language_of_the_user(self, leaver):
        with translation.override("en"):
            made = KIND.form(leaver, today=timezone.localdate())
            assert made["field_reason"].label == "Reason"
            assert "Misconduct" in str(made["field_block_reason"])

    def test_keeps_what_nobody_touched(self, leaver):
        bound = form(leaver, **typed_in(leaver, custom_field_1__c="交给小林"))
        assert bound.is_valid(), bound.errors
        changed = {key for key in bound.cleaned_data if key.startswith("field_")}
        assert changed == {"field_custom_field_1__c"}

    def test_does_not_put_back_what_moved_in_feishu_meanwhile(self, asking, leaver, tenant):
        posted = typed_in(leaver, custom_field_1__c="交给小林")
        info = tenant.record("offboardings", leaver.feishu_id)["info"]
        tenant.patch(
            "offboardings", leaver.feishu_id, info=info | {"reason_explanation": "新的说明"}
        )
        sync.sync_kind("offboardings")
        leaver.refresh_from_db()
        bound = form(leaver, **posted)
        assert bound.is_valid()
        plan = asking.plan(leaver, "edit_offboarding", **bound.cleaned_data)
        (entry,) = json.loads(plan.request.body_text)["update_data"]
        assert entry["field_name"] == "custom_field_1__c"

    def test_says_that_a_changed_field_moved_meanwhile(self, asking, leaver, tenant):
        posted = typed_in(leaver, reason_explanation="我的说明")
        info = tenant.record("offboardings", leaver.feishu_id)["info"]
        tenant.patch(
            "offboardings", leaver.feishu_id, info=info | {"reason_explanation": "新的说明"}
        )
        plan = asking.plan(leaver, "edit_offboarding", **cleaned(form(leaver, **posted)))
        assert "plan.edit-moved-meanwhile" in codes(plan.warnings)
        assert plan.fields[0].before.zh == "新的说明"

    @pytest.mark.parametrize("name", ["reason_explanation", "custom_field_5__c"])
    def test_does_not_empty_a_field(self, leaver, name):
        held = {"reason_explanation": "已与直属上级沟通"}
        leaver.payload["offboarding_info"] |= held
        bound = form(leaver, **typed_in(leaver, **{name: ""}))
        assert not bound.is_valid()
        assert list(bound.errors) == [f"field_{name}"]

    def test_does_not_untick_every_box(self, leaver):
        chosen = {"custom_api_name": "custom_field_6__c", "value": '["opt_party"]'}
        leaver.payload["offboarding_info"]["custom_fields"].append(chosen)
        posted = typed_in(leaver)
        assert posted.pop("field_custom_field_6__c") == ["opt_party"]
        assert list(form(leaver, **posted).errors) == ["field_custom_field_6__c"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("offboarding_date", "9999-12-31"),
            ("offboarding_date", "0001-01-01"),
            ("offboarding_date", "2026-13-40"),
            ("offboarding_date", "🙂"),
            ("offboarding_date", "True"),
            ("custom_field_1__c", "长" * 256),
            ("custom_field_1__c", "两\n行"),
            ("custom_field_1__c", "空\x00字符"),
            ("custom_field_1__c", "控\x07制"),
            ("custom_field_1__c", "半\ud800个"),
            ("custom_field_2__c", "长" * 6001),
            ("reason_explanation", "长" * 6001),
            ("reason_explanation", "半\ud800个"),
            ("custom_field_3__c", "yes"),
            ("custom_field_3__c", "0"),
            ("custom_field_4__c", "1,5"),
            ("custom_field_4__c", "True"),
            ("custom_field_4__c", "NaN"),
            ("custom_field_4__c", "1.25"),
            ("custom_field_4__c", "9" * 40),
            ("custom_field_5__c", "opt_none"),
            ("custom_field_5__c", "🙂"),
            ("custom_field_6__c", ["opt_party", "opt_none"]),
            ("custom_field_8__c", "not a link"),
            ("custom_field_8__c", "javascript:alert(1)"),
            ("custom_field_9__c", "6999999999999999999"),
            ("custom_field_9__c", "1\n2"),
            ("reason", "reason_for_offboarding_option13"),
            ("noncompete_agreement_company", "🙂"),
        ],
    )
    def test_refuses(self, leaver, name, value):
        bound = form(leaver, **typed_in(leaver, **{name: value}))
        assert list(bound.errors) == [f"field_{name}"]

    @pytest.mark.parametrize("text", ["🙂" * 255, "<script>alert(1)</script>"])
    def test_counts_characters_and_keeps_them(self, leaver, text):
        bound = form(leaver, **typed_in(leaver, custom_field_1__c=text))
        assert cleaned(bound)["field_custom_field_1__c"] == text

    def test_takes_6000_characters_in_browser_lines(self, leaver):
        text = "长" * 2999 + "\r\n" + "长" * 3000
        bound = form(leaver, **typed_in(leaver, reason_explanation=text))
        assert cleaned(bound)["field_reason_explanation"] == text.replace("\r\n", "\n")

    @pytest.mark.parametrize("prefix", ["field_", ""])
    def test_refuses_a_field_that_is_not_offered(self, leaver, prefix):
        others = ["custom_field_10__c", "custom_field_11__c", "no_such_field", "field_"]
        for name in [*writes.FIXED_OFFBOARDING_FIELDS, *others]:
            assert form(leaver, **{prefix + name: "x"}).non_field_errors(), name

    def test_refuses_it_behind_the_form_too(self, asking, leaver):
        for name in ("status", "custom_field_10__c", "no_such_field"):
            with pytest.raises(InvalidValues):
                edit(asking, leaver, **{name: "x"})

    def test_starts_with_the_user_as_the_operator(self, leaver, mei):
        someone = Employment.objects.exclude(status="terminated").exclude(person__open_id="")[0]
        mei.open_id = someone.person.open_id
        assert KIND.initial_for(mei) == {"operator_id": someone.feishu_id}
        mei.open_id = ""
        assert KIND.initial_for(mei) == {}


def cleaned(bound) -> dict:
    assert bound.is_valid(), bound.errors
    return bound.cleaned_data


class TestBlockers:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"offboarding_date": date(2001, 1, 1)}, 1160601),
            ({"noncompete_agreement_start_date": date(2030, 1, 1)}, 1160700),
            (
                {
                    "enforce_noncompete_agreement": True,
                    "noncompete_agreement_start_date": date(2030, 1, 1),
                    "noncompete_agreement_end_date": date(2029, 1, 1),
                },
                1160700,
            ),
            ({"add_block_list": True}, 1160710),
            ({"block_reason": "block_fraud"}, 1160710),
            ({"custom_field_9__c": "6999999999999999999"}, 1160636),
        ],
    )
    def test_says_so_and_sends_nothing(self, asking, leaver, tenant, fields, code):
        plan = edit(asking, leaver, **fields)
        assert codes(plan.blockers) == [f"feishu.{code}"]
        assert written(tenant) == []

    def test_lets_what_belongs_together_pass(self, asking, leaver):
        plan = edit(
            asking,
            leaver,
            add_block_list=True,
            block_reason="block_fraud",
            enforce_noncompete_agreement=True,
            noncompete_agreement_start_date=date(2030, 1, 1),
            noncompete_agreement_end_date=date(2031, 1, 1),
        )
        assert plan.blockers == ()

    def test_of_a_department_that_is_closed(self, asking, leaver):
        employment = Employment.objects.get(feishu_id=leaver.employment_id)
        departments = type(leaver)._meta.apps.get_model("lifecycle", "Department").objects
        departments.filter(feishu_id=employment.department_id).update(is_active=False)
        plan = edit(asking, leaver, offboarding_date=leaver.offboards_on + timedelta(days=1))
        assert codes(plan.blockers) == ["feishu.1160300"]

    @pytest.mark.parametrize(
        "status", ["Approving", "Offboarded", "Rejected", "Withdrawn", "NoNeedApproval"]
    )
    def test_of_a_record_that_is_not_approved(self, asking, leaver, tenant, status):
        tenant.patch("offboardings", leaver.feishu_id, status=status)
        plan = edit(asking, leaver, reason_explanation="改")
        assert "feishu.1160623" in codes(plan.blockers)
        assert ("feishu.1160631" in codes(plan.blockers)) == (status == "Offboarded")

    def test_of_a_record_feishu_no_longer_has(self, asking, leaver, tenant):
        tenant.delete("offboardings", leaver.feishu_id)
        plan = edit(asking, leaver, reason_explanation="改")
        assert codes(plan.blockers) == ["feishu.record-missing"]


class TestEveryDocumentedCode:
    def test_is_in_the_list(self, tenant):
        documented = {key.removeprefix("A4:") for key in tenant.specials() if key[:3] == "A4:"}
        assert documented == set(CODES)
        assert len(CODES) == 32

    @pytest.mark.parametrize("code", CODES)
    def test_is_caught_before_or_explained_after(self, asking, tenant, worker, leaver, code):
        special = tenant.specials()[f"A4:{code}"]
        record = leaver if code == "1160625" else offboarding(special["subject"])
        if code == "1160625":
            tenant.delete("offboardings", record.feishu_id)
        body = special["body"]
        posted = {f"field_{i['field_name']}": i["value"] for i in body["update_data"]}
        if "operator_id" in body:
            posted["operator_id"] = body["operator_id"]
        if code == "1160304":
            posted["field_enforce_noncompete_agreement"] = "true"
        bound = form(record, **posted)
        if code in EXPLAINED:
            values = cleaned(bound)
            change = asking.ask(record, "edit_offboarding", **values)
            worker(change)
            assert (change.status, change.feishu_code) == ("failed", int(code))
            assert change_words.refusal_of(change).code == f"feishu.{code}"
            return
        if code in UNCLEAR:
            tenant.fault(**special["fault"])
            change = worker(asking.ask(record, "edit_offboarding", **cleaned(bound)))
            assert change.status == "verifying"
            return
        if bound.is_valid():
            plan = asking.plan(record, "edit_offboarding", **bound.cleaned_data)
            assert plan.is_blocked
            expected = {"1160102": "plan.nothing-to-change", "1160625": "feishu.record-missing"}
            assert expected.get(code, f"feishu.{code}") in codes(plan.blockers)
        assert written(tenant) == []


class TestSilence:
    def test_is_settled_by_reading_back(self, asking, leaver, tenant, worker):
        tenant.fault("drop_after", endpoint=A4)
        change = worker(asking.confirm(edit(asking, leaver, reason_explanation="另有安排")))
        assert change.status == "verifying"
        worker(change, later=LATER)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert tenant.operations(leaver.feishu_id) == ["edit_offboarding"]

    def test_of_what_did_not_arrive_is_sent_again(self, asking, leaver, tenant, worker):
        tenant.fault("drop_before", endpoint=A4)
        change = worker(asking.confirm(edit(asking, leaver, custom_field_4__c=Decimal("3"))))
        worker(change, later=LATER)
        assert change.status == "verifying"
        StatusChange.objects.filter(pk=change.pk).update(
            unapplied_read_at=timezone.now() - timedelta(minutes=1)
        )
        worker(change, later=LATER)
        assert change.status == "approved"
        worker(change, later=LATER)
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert tenant.operations(leaver.feishu_id) == ["edit_offboarding"]

    def test_proves_nothing_about_a_field_that_is_not_shown(self, leaver):
        call = KIND.call(
            leaver,
            {"field_reason_explanation": "改", "field_retain_account": True},
            key="",
        )
        shown = KIND.facts(KIND.known(leaver))
        applied = shown | {
            "values": shown["values"] | {"reason_explanation": "改", "retain_account": "true"}
        }
        hidden = shown | {"values": dict(applied["values"])}
        del hidden["values"]["retain_account"]
        assert KIND.holds(call, applied)
        assert KIND.may_send_again(call, shown)
        assert not KIND.holds(call, shown)
        assert not KIND.holds(call, hidden)
        assert not KIND.may_send_again(call, hidden)

    def test_of_an_edit_made_in_the_console_as_well_is_no_second_one(
        self, asking, leaver, tenant, worker
    ):
        change = asking.confirm(edit(asking, leaver, reason_explanation="另有安排"))
        info = tenant.record("offboardings", leaver.feishu_id)["info"]
        tenant.patch(
            "offboardings", leaver.feishu_id, info=info | {"reason_explanation": "另有安排"}
        )
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert written(tenant) == []

    def test_another_edit_in_the_console_needs_a_person(self, asking, leaver, tenant, worker):
        change = asking.confirm(edit(asking, leaver, reason_explanation="另有安排"))
        info = tenant.record("offboardings", leaver.feishu_id)["info"]
        tenant.patch("offboardings", leaver.feishu_id, info=info | {"retain_account": "true"})
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert written(tenant) == []
        compared = {row.label: row for row in change_words.comparison_of(change)}
        assert len(compared) > 3

    def test_refused_after_the_plan_is_explained(self, asking, leaver, tenant, worker):
        tenant.fault("code", endpoint=A4, code=1161001, http_status=400)
        change = worker(asking.confirm(edit(asking, leaver, reason_explanation="改")))
        assert (change.status, change.feishu_code) == ("failed", 1161001)
        assert "审批" in change_words.refusal_of(change).sentence.zh


class TestFieldsOfTheCompany:
    def test_come_with_the_sync(self, tenant):
        fields = offboarding_fields()
        assert set(STANDARD_FIELDS) <= set(fields)
        assert [option.code for option in fields["custom_field_6__c"].options] == [
            "opt_party", "opt_letter", "opt_alumni",
        ]  # fmt: skip
        assert fields["custom_field_8__c"].kind == "link"
        assert fields["custom_field_10__c"].kind is None
        retired = {o.code for o in fields["reason"].options if not o.is_active}
        assert retired == {"reason_for_offboarding_option13"}

    def test_of_one_name_are_told_apart(self, tenant):
        row = CatalogueEntry.objects.get(
            kind=CatalogueEntry.Kind.OFFBOARDING_FIELD, feishu_id="custom_field_1__c"
        )
        row.payload["name"] = {"zh_cn": "离职原因", "en_us": "Reason"}
        row.save()
        labels = [field.label.zh for field in offboarding_fields().values()]
        assert "离职原因（reason）" in labels
        assert len(labels) == len(set(labels))

    def test_that_never_came_leave_a_form_that_says_so(self, leaver):
        CatalogueEntry.objects.all().delete()
        made = KIND.form(leaver, today=timezone.localdate())
        assert made.notes
        assert not [name for name in made.fields if name.startswith("field_")]
