"""The table ``[sso.saml]``: what is accepted, what is refused in one sentence, and what ``rse sso check`` says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from saml_on_loopback import Provider, make_pair
from saml_walk import Site, table

from rse_core.api import ConfigError
from rse_sso.check import check
from rse_sso.config import parse_config
from rse_sso.online import ask
from rse_sso.saml.config import parse_saml


class Settings:
    secret_key, secure_cookies, identity_key = "x", True, "username"


def parsed(provider: Provider, keys: tuple[str, str], **changes: Any) -> Any:
    return parse_config({"sources": ["saml"], "saml": table(provider, keys, **changes)})


def test_the_defaults_are_the_strict_ones(provider: Provider, keys: tuple[str, str]) -> None:
    config = parse_saml(table(provider, keys))
    assert (config.signed, config.allow_unsolicited, config.clock_skew) == ("assertion", False, 60)
    assert not [name for name in config.algorithms if "sha1" in name]
    assert config.logout_url == "http://localhost/rse/saml/logout"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": None}, "sso.saml.issuer is missing"),
        ({"acs_url": None}, "sso.saml.acs_url is missing"),
        ({"acs_url": "https://rse.test/saml"}, "does not end with /saml/acs"),
        ({"metadata_file": None}, "metadata_file is missing, and so is metadata_url"),
        ({"metadata_url": "https://idp.test/md"}, "is set beside metadata_url"),
        ({"metadata_file": None, "metadata_url": "http://idp.test/md"}, "metadata_url is no https address"),
        ({"metadata_file": "/nowhere"}, "metadata_file names a file that cannot be read"),
        ({"private_key_file": None}, "private_key_file is missing"),
        ({"private_key_file": None, "certificate_file": None}, "private_key_file is missing"),
        ({"signed": "neither"}, "signed is “neither”"),
        ({"request_binding": "artifact"}, "request_binding is “artifact”"),
        ({"name_id_format": "kerberos"}, "name_id_format is “kerberos”"),
        ({"algorithms": ["rsa-sha1"]}, "algorithms holds “rsa-sha1”"),
        ({"clock_skew": 3600}, "clock_skew is not from 0 to 300"),
        ({"allow_unsolicited": "yes"}, "allow_unsolicited is neither true nor false"),
        ({"metadata": "x"}, "sso.saml.metadata is not known"),
        ({"attributes": "x"}, "sso.saml.attributes is not a table"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(
    provider: Provider, keys: tuple[str, str], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as found:
        parsed(provider, keys, **changes)
    assert words in str(found.value)
    assert found.value.remedy


def test_a_key_that_cannot_serve_is_refused_at_once(
    provider: Provider, keys: tuple[str, str], stranger: tuple[str, str]
) -> None:
    weak = make_pair(provider.folder, "rse-weak", bits=1024)
    curve = make_pair(provider.folder, "rse-ec", curve=True)
    for pair, words in (
        ((stranger[0], keys[1]), "is not the key of the certificate beside it"),
        (weak, "is no RSA key of 2048 bits"),
        (curve, "is no RSA key of 2048 bits"),
        ((keys[1], keys[1]), "names no PEM file of a private key"),
        ((keys[0], keys[0]), "no PEM certificate"),
    ):
        with pytest.raises(ConfigError, match=words):
            parsed(provider, pair)


WITHOUT = """
import sys
sys.modules["saml2"] = None
import rse_sso.cli, rse_sso.online
from rse_core.api import ConfigError
from rse_sso.config import parse_config
from rse_sso.keys import new_secret
header = {"secrets": [new_secret()], "peers": ["127.0.0.1"]}
config = parse_config({"sources": ["header"], "header": header})
assert config.header is not None
list(rse_sso.plugin.rse_blueprints())
try:
    parse_config({"sources": ["header", "saml"], "header": header})
except ConfigError as error:
    print(error)
"""


def test_without_pysaml2_the_adapter_works_and_says_so_in_one_sentence_when_saml_is_wanted() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        "The setting sso.sources names saml, but pysaml2 is not installed. "
        "Run pip install 'rse-sso[saml]', or take saml out of sources."
    )


def test_without_xmlsec1_it_says_so_in_one_sentence(
    provider: Provider, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = shutil.which("xmlsec1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="the program xmlsec1 is not there"):
        parsed(provider, keys)
    assert parsed(provider, keys, xmlsec1=there).saml.xmlsec1 == there


def test_nothing_is_said_against_a_good_configuration(provider: Provider, keys: tuple[str, str]) -> None:
    assert check(parsed(provider, keys), settings=Settings()) == []


@pytest.mark.parametrize(
    ("changes", "severity", "setting"),
    [
        ({"acs_url": "http://rse.test/rse/saml/acs"}, "unsafe", "sso.saml.acs_url"),
        ({"allow_unsolicited": True}, "warning", "sso.saml.allow_unsolicited"),
        ({"clock_skew": 200}, "warning", "sso.saml.clock_skew"),
        ({"name_id_format": "email"}, "warning", "sso.saml.name_id_format"),
        ({"name_id_format": "transient"}, "unsafe", "sso.saml.name_id_format"),
        ({"metadata_file": None, "metadata_url": "http://127.0.0.1:9/"}, "warning", "sso.saml.metadata_url"),
    ],
)
def test_what_is_unwise_is_said(
    provider: Provider, keys: tuple[str, str], changes: dict[str, Any], severity: str, setting: str
) -> None:
    found = check(parsed(provider, keys, **changes), settings=Settings())
    assert [(each.severity, each.setting) for each in found] == [(severity, setting)]


def test_a_key_that_others_can_read_and_a_certificate_that_runs_out_are_said(provider: Provider) -> None:
    pair = make_pair(provider.folder, "rse-soon", ends_in=10)
    Path(pair[0]).chmod(0o644)
    found = check(parsed(provider, pair), settings=Settings())
    assert [(each.severity, each.setting) for each in found] == [
        ("unsafe", "sso.saml.private_key_file"), ("warning", "sso.saml.certificate_file"),
    ]  # fmt: skip
    assert "runs out on" in found[1].message


def test_a_certificate_that_has_gone_is_said(provider: Provider) -> None:
    pair = make_pair(provider.folder, "rse-gone")
    config = parsed(provider, pair)
    Path(pair[1]).unlink()
    (found,) = check(config, settings=Settings())
    assert (found.severity, found.setting) == ("unsafe", "sso.saml.certificate_file")


def test_online_the_provider_is_looked_at(provider: Provider, keys: tuple[str, str]) -> None:
    told, found = ask(parsed(provider, keys))
    assert found == []
    assert told[-1].endswith("is known, with 1 certificate(s)")
    assert any("http://localhost/rse/saml/metadata" in line for line in told)
    _, old = make_pair(provider.folder, "idp-old", ends_in=-3)
    text = provider.write_metadata(old).replace("bindings:HTTP-Redirect", "bindings:HTTP-Artifact")
    provider.file.write_text(text)
    _, found = ask(parsed(provider, keys))
    assert [each.setting for each in found] == ["sso.saml.request_binding", "sso.saml.end_session", "sso.saml.issuer"]
    assert "ran out on" in found[2].message
    provider.file.write_text("rubbish")
    _, found = ask(parsed(provider, keys))
    assert [(each.severity, each.setting) for each in found] == [("unsafe", "sso.saml.metadata_file")]


def test_a_provider_that_offers_only_forms_is_asked_by_a_form(site: Site, provider: Provider) -> None:
    text = provider.file.read_text()
    provider.file.write_text(text.replace("bindings:HTTP-Redirect", "bindings:HTTP-Artifact"))
    _, client = site()
    page = client.get("/rse/saml/start")
    assert page.status_code == 200
    assert 'name="SAMLRequest"' in page.text
