"""Names as servers deliver them, and machines as servers name them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rse_sso.peers import UNIX, Peers, peer_of
from rse_sso.reasons import Reason, SsoRefused
from rse_sso.text import decode_header, first_control

NAME = "Hélène Dupont, CPAM du Finistère"


def mojibake(text: str, charset: str = "utf-8") -> str:
    """What WSGI hands over when a proxy sends ``text`` in ``charset``."""
    return text.encode(charset).decode("latin-1")


def test_a_name_sent_as_utf8_arrives_intact() -> None:
    assert mojibake(NAME) != NAME
    assert decode_header(mojibake(NAME)) == NAME


@pytest.mark.parametrize("name", ["Françoise Cœur", "L’Haÿ-les-Roses", "Noël Müller"])
def test_a_name_sent_as_windows_1252_by_an_old_intranet_arrives_intact(name: str) -> None:
    assert decode_header(mojibake(name, "cp1252")) == name


def test_a_name_set_by_the_host_application_itself_is_left_alone() -> None:
    assert decode_header("Łukasz Żółć") == "Łukasz Żółć"


def test_a_percent_encoded_name_is_read_when_so_configured() -> None:
    assert decode_header("H%C3%A9l%C3%A8ne", "percent") == "Hélène"


@pytest.mark.parametrize("encoding", ["utf-8", "percent"])
def test_bytes_that_are_not_in_the_configured_encoding_are_refused(encoding: str) -> None:
    with pytest.raises(SsoRefused) as refusal:
        decode_header("H\xe9l\xe8ne", encoding)  # type: ignore[arg-type]
    assert refusal.value.reason is Reason.HEADER_ENCODING


def test_two_spellings_of_one_name_become_one() -> None:
    assert decode_header(mojibake("He\u0301le\u0300ne")) == "Hélène"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_way_through_wsgi_up_to_its_normal_form(text: str) -> None:
    import unicodedata

    assert decode_header(mojibake(text), "utf-8") == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("bad", ["a\nb", "a\x00", "a\x7f", "a\u2028b", "a\u202eb", "a\x85b"])
def test_controls_and_reordering_marks_are_found_in_names_and_identifiers(bad: str) -> None:
    assert first_control(bad, identifier=False)
    assert first_control(bad, identifier=True)


def test_an_invisible_character_is_refused_in_an_identifier_only() -> None:
    assert first_control("admin\u200b", identifier=True) == "U+200B"
    assert first_control("soft\u00adhyphen", identifier=False) is None


def test_only_the_configured_machines_are_trusted() -> None:
    peers = Peers.parse(["10.4.0.0/24", "192.0.2.7", "2001:db8::/64"])
    assert all(map(peers.trusts, ["10.4.0.9", "192.0.2.7", "2001:db8::1"]))
    assert not any(map(peers.trusts, ["10.4.1.9", "192.0.2.8", "2001:db9::1", UNIX, None, "nonsense"]))


def test_the_unix_socket_is_trusted_only_when_listed() -> None:
    assert Peers.parse(["unix"]).trusts(UNIX)
    assert not Peers.parse(["127.0.0.1"]).trusts(UNIX)


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_a_network_of_everybody_is_refused(everybody: str) -> None:
    with pytest.raises(ValueError, match="every machine"):
        Peers.parse([everybody])


@pytest.mark.parametrize("bad", ["proxy.intranet", "10.4.0.7/24", "10.4.0", ""])
def test_what_is_no_address_is_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match="is no peer"):
        Peers.parse([bad])


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("10.4.0.7", "10.4.0.7"),
        ("::ffff:10.4.0.7", "10.4.0.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("", UNIX),
        ("x", None),
    ],
)
def test_one_machine_has_one_spelling(address: str, peer: str | None) -> None:
    assert peer_of({"REMOTE_ADDR": address}) == peer


def test_forwarded_addresses_never_stand_for_the_peer() -> None:
    environ = {
        "REMOTE_ADDR": "203.0.113.9",
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_X_REAL_IP": "127.0.0.1",
        "HTTP_FORWARDED": "for=127.0.0.1",
    }
    assert peer_of(environ) == "203.0.113.9"


def test_an_address_rewritten_by_proxyfix_is_undone() -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    seen: list[str | None] = []
    application = ProxyFix(lambda environ, start: (seen.append(peer_of(environ)), [])[1])
    application({"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, lambda *_: None)  # type: ignore[arg-type]
    assert seen == ["203.0.113.9"]


def test_a_request_without_an_address_has_no_peer() -> None:
    assert peer_of({}) is None
