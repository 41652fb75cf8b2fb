"""The adapter inside RSE: its script is served, its configuration checked, its fragments asked for as the reader."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from rse_core.api import ConfigError
from rse_host import plugin
from rse_host.config import HostSchema, read_section
from rse_host.facts import read_facts
from rse_host.injector import Injector, Jar, fragments_of
from rse_host.middleware import HostMiddleware
from rse_host.profiles import PROFILES, PageFacts, as_json, slot_fragments
from rse_host.script import embed_script

PAGE = b"<html lang=fr><head><title>Note</title></head><body><article><h1>Note</h1></article></body></html>"


def test_the_entry_point_leads_to_the_same_object_each_time() -> None:
    import rse_host
    import rse_host.contribution

    assert rse_host.plugin is plugin is rse_host.contribution.plugin
    assert plugin.manifest.kind == "adapter"


def test_the_script_carries_the_profiles_and_stays_valid() -> None:
    script = embed_script()
    assert as_json().encode() in script.body
    assert b"/*PROFILES*/" not in script.body
    assert gzip.decompress(script.packed) == script.body
    assert b"eval(" not in script.body
    assert set(json.loads(as_json())["profiles"]) == set(PROFILES)


def client(section: dict[str, Any] | None = None) -> Any:
    from flask import Flask

    from rse_host.views import make_blueprint

    app = Flask("stub")
    app.register_blueprint(make_blueprint())
    return app.test_client()


def test_the_script_is_cached_for_good_under_its_version_only() -> None:
    version = embed_script().version
    assert "immutable" in client().get(f"/embed.js?v={version}").headers["Cache-Control"]
    assert "immutable" not in client().get("/embed.js?v=old").headers["Cache-Control"]
    plain = client().get("/embed.js")
    assert plain.data == embed_script().body
    assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_the_script_is_packed_on_request_and_conditional() -> None:
    packed = client().get("/embed.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == embed_script().body
    same = client().get("/embed.js", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert same.status_code == 304


class FakeSettings:
    def __init__(self, **section: Any) -> None:
        self._section = section

    def section(self, name: str, schema: Any) -> dict[str, Any]:
        from rse_core.settings import load_checked

        assert name == "host"
        return load_checked(schema, self._section, where="[host]")


def test_the_configuration_names_what_is_wrong() -> None:
    assert read_section(FakeSettings(profile="spip", slots=["comments"])).slots == ("comments",)
    with pytest.raises(ConfigError, match="profil"):
        read_section(FakeSettings(profil="spip"))
    with pytest.raises(ConfigError, match="profile"):
        read_section(FakeSettings(profile="drupal"))
    assert set(HostSchema().fields) == {"profile", "slots", "fragments", "limit", "excluded"}


def fake_rse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers like RSE's fragment endpoint; begins a session when the reader has none."""
    headers = [("Content-Type", "text/html; charset=utf-8")]
    cookie = environ.get("HTTP_COOKIE", "")
    if "rse_session" not in cookie:
        headers.append(("Set-Cookie", "rse_session=new; HttpOnly; Path=/"))
    slot = environ["PATH_INFO"].rsplit("/", 1)[1]
    if slot == "broken":
        start_response("500 Oh", headers)
        return [b"no"]
    start_response("200 OK", headers)
    return [f"<p>{slot} é {environ['QUERY_STRING']} [{cookie}] {environ.get('HTTP_IF_NONE_MATCH')}</p>".encode()]


def test_fragments_are_asked_for_as_the_reader_and_share_one_new_session() -> None:
    source = fragments_of(fake_rse, ("reactions", "comments", "broken"), "/rse")
    environ: dict[str, Any] = {
        "HTTP_COOKIE": "a=1",
        "HTTP_IF_NONE_MATCH": '"x"',
        "QUERY_STRING": "q=1&slot.comments.sort=new",
    }
    found = source(environ, PageFacts(address="/note?q=1", title="Été", native="spip:3"))
    assert "[a=1]" in found["reactions"]
    assert "[a=1; rse_session=new]" in found["comments"]
    assert "address=%2Fnote%3Fq%3D1&native=spip%3A3&title=%C3%89t%C3%A9" in found["reactions"]
    assert "&slot.comments.sort=new" in found["comments"]
    assert "None" in found["comments"]
    assert found["broken"] == ""
    assert environ["rse.host.cookies"] == ["rse_session=new; HttpOnly; Path=/"]


def test_the_injector_fills_pages_and_passes_the_session_on() -> None:
    def intranet(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [PAGE]

    config = read_section(FakeSettings(fragments=True))
    app = Injector(config, "/rse").wrap(intranet, rse_app=fake_rse)
    seen: list[Any] = []
    body = b"".join(
        app({"REQUEST_METHOD": "GET", "PATH_INFO": "/note", "QUERY_STRING": ""}, lambda *a, **k: seen.extend(a[:2]))  # type: ignore[arg-type]
    )
    assert body.count(b"<rse-slot") == 2
    assert b"<p>reactions &#233; address=%2Fnote" in body
    assert ("Set-Cookie", "rse_session=new; HttpOnly; Path=/") in seen[1]
    assert isinstance(Injector(config, "/rse").wrap(intranet), HostMiddleware)


def test_a_cookie_made_on_the_way_replaces_the_old_one() -> None:
    jar = Jar("a=1; s=old; b=2")
    jar.take("s=new; Path=/")
    assert jar.sent == "a=1; b=2; s=new"


@pytest.mark.parametrize(
    ("profile", "page", "expected"),
    [
        ("wordpress", b"<body class='page page-id-7 x'><article><div class=entry-content></div></article>", "wordpress:7"),
        ("wordpress", b"<link rel=shortlink href='http://h/?p=42'><body class=single>", "wordpress:42"),
        ("wordpress", b"<body class='single notpostid-9x'>", None),
        ("spip", b"<link rel=canonical href='http://h/spip.php?article12'><body class='page_article'>", "spip:12"),
        ("spip", b"<link rel=canonical href='http://h/spip.php?page=article&id_article=12'>", "spip:12"),
        ("spip", b"<link rel=canonical href='http://h/article12.html'>", "spip:12"),
        ("spip", b"<link rel=canonical href='http://h/Un-titre'>", None),
        ("mediawiki", b"<script>var x=1</script><script>RLCONF={\"a\":1,\"wgArticleId\":31};</script>", "mediawiki:31"),
        ("mediawiki", b"<script>RLCONF={\"wgArticleId\":0};</script>", None),
        ("dokuwiki", b"<script>var JSINFO = {\"id\":\"news:note1\"};</script>", "dokuwiki:news:note1"),
        ("generic", b"<meta name='rse:id' content='note-12'>", "generic:note-12"),
        ("generic", b"<!-- <meta name='rse:id' content='x'> -->", None),
    ],
)  # fmt: skip
def test_a_page_tells_the_id_its_software_gives_it(profile: str, page: bytes, expected: str | None) -> None:
    facts = read_facts(b"<html><head>" + page, PROFILES[profile], address="/x", charset=None)
    assert facts.native == expected


def test_facts_are_read_in_the_pages_own_encoding() -> None:
    page = "<html lang=fr><head><meta charset='iso-8859-15'><title>Œuvre &amp; €</title></head><body>".encode("iso-8859-15")
    for charset in ("iso-8859-15", None):
        facts = read_facts(page, PROFILES["generic"], address="/x", charset=charset)
        assert (facts.title, facts.lang) == ("Œuvre & €", "fr")


def test_a_section_is_a_path() -> None:
    page = b"<html><body class=page_article><p class=arbo><a href='http://h/'>A</a> <a href='spip.php?rubrique4'>B</a>"
    facts = read_facts(page, PROFILES["spip"], address="/dir/x", charset=None)
    assert facts.section == "/dir/spip.php?rubrique4"


def test_a_list_has_no_place_and_slots_of_the_template_have_theirs() -> None:
    several = b"<html><body><main><article>a</article><article>b</article></main>"
    assert read_facts(several, PROFILES["generic"], address="/", charset=None).anchor is None
    own = read_facts(several + b"<rse-slot name=comments></rse-slot>", PROFILES["generic"], address="/", charset=None)
    (fragment,) = slot_fragments(own, {"reactions": "<p>r</p>", "comments": "<p>c</p>"})
    assert fragment.selector == 'rse-slot[name="comments"]'
    assert "<p>c</p>" in fragment.html
    belled = (
        b"<html><body class='%s'><nav><rse-slot name=bell></rse-slot></nav><main><div class='entry-content'>a</div></main>"
    )
    places = {
        kind: read_facts(belled % kind, PROFILES["wordpress"], address="/", charset=None).anchor is not None
        for kind in (b"single", b"blog")
    }
    assert places == {b"single": True, b"blog": False}, "a bell in the menu makes no article of a list"
