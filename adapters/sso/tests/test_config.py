"""The section [sso]: what it may say, what it may not, and what the check finds in it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from rse_core.api import ConfigError
from rse_core.settings import Settings
from rse_sso.check import check
from rse_sso.cli import make_group
from rse_sso.config import parse_config, read_section
from rse_sso.keys import new_secret, weakness
from rse_sso.token import verify

SECRET, OTHER = new_secret(), new_secret()


def header(**changes: Any) -> dict[str, Any]:
    return {"secrets": [SECRET], "peers": ["127.0.0.1"], **changes}


def handoff(**changes: Any) -> dict[str, Any]:
    return {"issuer": "https://intranet.test", "keys": {"k1": OTHER}, **changes}


def section(**changes: Any) -> dict[str, Any]:
    return {
        "sources": ["header", "handoff"],
        "login_url": "https://portal.test/?url={return_to}",
        "header": header(),
        "handoff": handoff(),
        **changes,
    }


def refused(found: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(found)
    text = str(caught.value)
    assert SECRET not in text
    assert OTHER not in text
    return text


def test_nothing_configured_means_nobody_is_recognised() -> None:
    config = parse_config({})
    assert (config.header, config.handoff) == (None, None)


def test_a_source_that_is_not_listed_stays_off_though_its_table_is_filled() -> None:
    config = parse_config(section(sources=["header"]))
    assert config.header is not None
    assert config.handoff is None


def test_a_full_section_becomes_rules() -> None:
    config = parse_config(section())
    assert config.header is not None
    assert config.handoff is not None
    assert (config.header.secrets, config.header.name, config.header.email) == ((SECRET,), None, None)
    assert config.handoff.rules.keys == {"k1": OTHER}
    assert (config.handoff.rules.max_age, config.handoff.rules.clock_skew) == (120, 30)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (section(source=["header"]), "Did you mean sources"),
        (section(sources=["headers"]), "Did you mean header"),
        (section(sources="header"), "not a list"),
        (section(header=header(peer=["127.0.0.1"])), "Did you mean peers"),
        (section(header=header(peers=[])), "sso.header.peers is empty"),
        (section(header=header(peers=["0.0.0.0/0"])), "every machine"),
        (section(header=header(peers=["intranet"])), "is no peer"),
        (section(header=header(secrets=[])), "sso.header.secrets is empty"),
        (section(header=header(secrets=["short"])), "has 5 characters"),
        (section(header=header(secrets=["a" * 40])), "only 1 different"),
        (section(header=header(secrets=[f"change-me-{SECRET}"])), "placeholder"),
        (section(header=header(secrets=[f"{SECRET},{OTHER}"])), "comma"),
        (section(header=header(user="X_RSE_User")), "underscore"),
        (section(header=header(user="X-Forwarded-For")), "which clients write"),
        (section(header=header(user="Authorization")), "which clients write"),
        (section(header=header(encoding="utf8")), "utf-8"),
        (section(header=header(in_process=True)), "exclude each other"),
        (section(header={"in_process": True, "user": "HTTP_X_RSE_USER"}), "which a client can write"),
        (section(header={"in_process": "yes"}), "neither true nor false"),
        (section(handoff=handoff(keys={})), "sso.handoff.keys is empty"),
        (section(handoff=handoff(keys={"k 1": OTHER})), "cannot be a kid"),
        (section(handoff=handoff(keys={"k1": "short"})), "has 5 characters"),
        (section(handoff=handoff(keys={"k1": OTHER, "k2": OTHER})), "same secret twice"),
        (section(handoff=handoff(issuer="")), "issuer is missing"),
        (section(handoff=handoff(max_age=3600)), "from 5 to 120"),
        (section(handoff=handoff(max_age=True)), "from 5 to 120"),
        (section(handoff=handoff(clock_skew=600)), "from 0 to 120"),
        (section(login_url="javascript:alert(1)"), "is no address"),
        (section(login_url="//evil.test/"), "is no address"),
    ],
)
def test_a_mistake_is_refused_with_the_setting_and_the_remedy(found: dict[str, Any], words: str) -> None:
    assert words in refused(found)


def test_in_process_needs_neither_peer_nor_secret() -> None:
    config = parse_config({"sources": ["header"], "header": {"in_process": True}})
    assert config.header is not None
    assert (config.header.user, config.header.name) == ("REMOTE_USER", None)


def test_the_environment_can_hold_the_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rse.toml"
    file.write_text(
        '[sso]\nsources = ["header", "handoff"]\n[sso.header]\npeers = ["unix"]\n'
        '[sso.handoff]\nissuer = "https://intranet.test"\n'
    )
    monkeypatch.setenv("RSE_SSO_PROXY_SECRETS", f"{SECRET},{new_secret()}")
    monkeypatch.setenv("RSE_SSO_HANDOFF_KEYS", f'{{"2026-11" = "{OTHER}"}}')
    config = read_section(Settings.load(path=file))
    assert config.header is not None
    assert config.handoff is not None
    assert config.header.secrets[0] == SECRET
    assert config.handoff.rules.keys == {"2026-11": OTHER}


def test_a_new_secret_is_good_enough_for_the_configuration() -> None:
    assert weakness(new_secret()) is None
    assert new_secret() != new_secret()


SITE = SimpleNamespace(secret_key=new_secret(), secure_cookies=True, identity_key="username")


def found(site: Any = SITE, file: Path | None = None, **changes: Any) -> dict[str, str]:
    return {f.setting: f.severity for f in check(parse_config(section(**changes)), settings=site, file=file)}


def test_a_sound_configuration_has_nothing_said_against_it() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("changes", "setting", "severity"),
    [
        ({"sources": []}, "sso.sources", "warning"),
        ({"login_url": "http://portal.test/?u={return_to}"}, "sso.login_url", "unsafe"),
        ({"login_url": "https://portal.test/"}, "sso.login_url", "warning"),
        ({"logout_url": "http://portal.test/"}, "sso.logout_url", "unsafe"),
        ({"header": header(peers=["10.0.0.0/8"])}, "sso.header.peers", "unsafe"),
        ({"header": header(peers=["10.4.0.0/20"])}, "sso.header.peers", "warning"),
        ({"header": header(secrets=[new_secret() for _ in range(3)])}, "sso.header.secrets", "warning"),
        ({"header": {"in_process": True}}, "sso.header.in_process", "warning"),
        ({"handoff": handoff(keys={"k1": SECRET})}, "sso.handoff.keys", "unsafe"),
        ({"handoff": handoff(allow_cross_site=True)}, "sso.handoff.allow_cross_site", "warning"),
        ({"handoff": handoff(clock_skew=90)}, "sso.handoff.clock_skew", "warning"),
        ({"handoff": handoff(issuer="intranet")}, "sso.handoff.issuer", "warning"),
    ],
)
def test_the_check_finds(changes: dict[str, Any], setting: str, severity: str) -> None:
    assert found(**changes).get(setting) == severity


def test_the_check_finds_a_session_key_that_is_also_a_proxy_secret() -> None:
    site = SimpleNamespace(secret_key=SECRET, secure_cookies=True, identity_key="username")
    assert found(site) == {"secret_key": "unsafe"}


def test_the_check_finds_cookies_that_travel_in_the_clear() -> None:
    site = SimpleNamespace(secret_key="", secure_cookies=False, identity_key="username")
    assert found(site) == {"secure_cookies": "unsafe"}


def test_the_check_finds_a_file_of_secrets_that_everybody_can_read(tmp_path: Path) -> None:
    file = tmp_path / "rse.toml"
    file.write_text(f'[sso.header]\nsecrets = ["{SECRET}"]\n')
    file.chmod(0o644)
    assert found(file=file) == {"rse.toml": "unsafe"}
    file.chmod(0o640)
    assert found(file=file) == {}


def invoke(*arguments: str, **changes: Any) -> tuple[int, str]:
    result = CliRunner().invoke(make_group(lambda: (SITE, parse_config(section(**changes)))), arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_the_command_check_ends_with_0_when_safe_and_1_when_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("check") == (0, "Sources on: header, handoff. Nothing to say against this configuration.\n")
    code, output = invoke("check", "--json", header=header(peers=["10.0.0.0/8"]))
    answer = json.loads(output)
    assert (code, answer["safe"], answer["findings"][0]["setting"]) == (1, False, "sso.header.peers")
    assert SECRET not in output


def test_the_command_secret_prints_one_that_may_be_used() -> None:
    code, output = invoke("secret")
    assert (code, weakness(output.strip())) == (0, None)


def test_the_command_token_makes_one_that_verifies() -> None:
    import time

    code, output = invoke("token", "--user", "u1042", "--name", "Hélène Dupont")
    config = parse_config(section())
    assert config.handoff is not None
    claims = verify(output.strip(), config.handoff.rules, now=time.time())
    assert (code, claims.subject, claims.name) == (0, "u1042", "Hélène Dupont")


def test_the_command_token_refuses_what_rse_would_refuse() -> None:
    with pytest.raises(ConfigError, match="token_subject"):
        invoke("token", "--user", "a\u200bb")
    with pytest.raises(ConfigError, match="switched off"):
        invoke("token", "--user", "u1", sources=["header"])
    with pytest.raises(ConfigError, match="Known: k1"):
        invoke("token", "--user", "u1", "--kid", "k9")
