"""What `make run` fills in."""

import stat
from pathlib import Path

from hrportal import local


def completed(var: Path, **given: str) -> dict[str, str]:
    values = {"HRPORTAL_VAR_DIR": str(var), **given}
    local.complete(values)
    return values


class TestComplete:
    def test_keeps_its_own_secret_key_to_itself(self, tmp_path):
        first, second = completed(tmp_path), completed(tmp_path)
        assert first["DJANGO_SECRET_KEY"] == second["DJANGO_SECRET_KEY"]
        assert len(first["DJANGO_SECRET_KEY"]) >= 50
        assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600

    def test_chooses_a_sandbox_when_no_tenant_is_given(self, tmp_path):
        values = completed(tmp_path, SANDBOX_PORT="8899")
        assert values["FEISHU_BASE_URL"] == "http://127.0.0.1:8899"
        assert values["OWN_SANDBOX"] == values["DEMO_SIGN_INS"] == "1"

    def test_leaves_a_given_tenant_alone(self, tmp_path):
        values = completed(tmp_path, FEISHU_APP_ID="cli_1", FEISHU_APP_SECRET="s")
        assert not {"FEISHU_BASE_URL", "OWN_SANDBOX", "DEMO_SIGN_INS", "DATABASE_URL"} & set(values)

    def test_never_replaces_what_was_given(self, tmp_path):
        given = {"DJANGO_DEBUG": "1", "DJANGO_SECRET_KEY": "mine", "DATABASE_URL": "sqlite:///x"}
        assert given.items() <= completed(tmp_path, **given).items()

    def test_keeps_two_demo_companies_apart(self, tmp_path):
        small, large = completed(tmp_path, PEOPLE="40"), completed(tmp_path, PEOPLE="1000")
        assert small["DATABASE_URL"] != large["DATABASE_URL"]

    def test_gives_another_stand_in_a_database_of_its_own(self, tmp_path):
        values = completed(tmp_path, FEISHU_BASE_URL="http://127.0.0.1:9301")
        assert values["DATABASE_URL"].endswith("/stand-in-127-0-0-1-9301.sqlite3")
        assert "OWN_SANDBOX" not in values

    def test_gives_a_real_tenant_no_demo_sign_ins(self, tmp_path):
        values = completed(
            tmp_path, FEISHU_BASE_URL="https://open.feishu.cn", FEISHU_APP_ID="cli_1"
        )
        assert "DEMO_SIGN_INS" not in values
        assert "DATABASE_URL" not in values

    def test_switches_messages_on_with_a_sandbox_only(self, tmp_path):
        values = completed(tmp_path, PORT="8555")
        assert values["FEISHU_MESSAGES"] == "1"
        assert values["PORTAL_URL"] == "http://127.0.0.1:8555"
        secrets = [values[f"FEISHU_EVENT_{name}"] for name in ("ENCRYPT_KEY", "TOKEN")]
        assert len(set(secrets)) == 2
        assert all(len(secret) >= 50 for secret in secrets)
        real = completed(tmp_path, FEISHU_APP_ID="cli_1", FEISHU_APP_SECRET="s")
        assert not {"FEISHU_MESSAGES", "FEISHU_EVENT_TOKEN", "LOG_CHECKPOINT_CHAT"} & set(real)
