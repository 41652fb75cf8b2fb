"""The page on sign-in says what the code does: every reason, every setting, every command."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from rse_core.testing import require_part
from rse_sso import cas_config, config, oidc_config, plugin
from rse_sso.keys import new_secret
from rse_sso.reasons import Reason
from rse_sso.saml.config import KEYS

PAGE = Path(__file__).parents[3] / "docs" / "signin.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside these tests")


def test_every_reason_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in page] == []


def test_every_setting_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    known = {*config._HEADER, *config._HANDOFF, *oidc_config.KEYS, *cas_config.KEYS, *KEYS, "sources", "login_url"}
    assert sorted(key for key in known if key not in page) == []


def test_the_configurations_on_the_page_are_accepted(tmp_path: Path) -> None:
    blocks = PAGE.read_text(encoding="utf-8").split("```toml\n")[1:]
    assert len(blocks) == 5
    for block in blocks:
        text = block.partition("```")[0].replace('"…"', f'"{new_secret()}"')
        if "/etc/rse/" in text:
            pytest.importorskip("saml2", reason="the extra saml is not installed here")
            require_part("xmlsec1")
            key, certificate = tmp_path / "saml.key", tmp_path / "saml.crt"
            make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=rse"]
            subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
            text = text.replace("/etc/rse/", f"{tmp_path}/")
        section = tomllib.loads(text)["sso"]
        assert config.parse_config(section)


def test_every_command_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    (cli,) = plugin.rse_cli()
    commands = cli.command.commands  # type: ignore[attr-defined]
    assert commands
    assert [name for name in commands if f"`rse sso {name}" not in page] == []
