"""The shell of the web side: who asks, what is refused, what an error looks like, where one goes back to."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Blueprint, Flask, request, session
from markupsafe import Markup

from rse_core.api import (
    BadInput,
    Conflict,
    Identity,
    IdentityRefused,
    Level,
    Manifest,
    ObjectRef,
    Plugin,
    SlotItem,
    hookimpl,
)
from rse_core.extension import RSE, create_app
from rse_core.testing import count_queries
from rse_core.webapi import (
    current_person,
    fragment_response,
    hidden_fields,
    require_person,
    sign_in,
    viewer,
)

ORIGIN = "https://intranet.test"


class Notes(Plugin):
    """A plugin with one page, one form and one slot."""

    manifest = Manifest("notes", "Notes")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        pages = Blueprint("rse_notes", __name__, url_prefix="/notes")

        @pages.get("/")
        def page() -> str:
            person = current_person()
            return f"<form>{hidden_fields()}</form>{person.username if person else 'nobody'}"

        @pages.post("/")
        def write() -> Any:
            person = require_person()
            if request.form.get("text") == "bad":
                raise BadInput("This cannot be noted.", fields={"text": "too bad"})
            ref = ObjectRef("page", "/news/1")
            return fragment_response(slots=["notes"], refs=[ref], announce=f"Noted by {person.username}.")

        @pages.post("/hand-off")
        def hand_off() -> str:
            found = sign_in(Identity("handoff", request.form["who"], username=request.form["who"]))
            return found.username if found else "unknown"

        @pages.get("/broken")
        def broken() -> str:
            raise RuntimeError("secret detail")

        hand_off.rse_csrf_exempt = True  # type: ignore[attr-defined]
        return [pages]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: list[ObjectRef], viewer: Any, session: Any) -> list[SlotItem]:
        if slot != "notes":
            return []
        text = Markup("<p>{} {} {}</p>{}").format(
            refs[0], viewer.params.get("sort", "-"), viewer.locale, hidden_fields(once=True)
        )
        return [SlotItem(refs[0], str(text), stale_label="1 new note")]


@pytest.fixture
def app(use_plugin: Any) -> Flask:
    core = use_plugin(Notes(), legacy_origins=[ORIGIN])
    made = create_app(core)
    made.core = core  # type: ignore[attr-defined]
    return made


@pytest.fixture
def core(app: Flask) -> Any:
    return app.core  # type: ignore[attr-defined]


def token_of(client: Any) -> str:
    answer = client.get("/rse/notes/")
    return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', answer.text).group(1)  # type: ignore[union-attr]


def test_the_prefix_works_passed_through_and_stripped(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/rse/healthz").text == "ok\n"
    assert client.get("/healthz", environ_overrides={"SCRIPT_NAME": "/rse", "PATH_INFO": "/healthz"}).text == "ok\n"
    assert client.get("/").headers["Location"] == "/rse/"
    assert client.get("/elsewhere").status_code == 404


def test_an_existing_application_keeps_its_own_pages_errors_and_session(core: Any, make_person: Any) -> None:
    host = Flask("intranet", static_folder=None)
    host.secret_key = "host"

    @host.get("/news")
    def news() -> str:
        return "news"

    RSE(host, core=core, background=False)
    client = host.test_client()
    assert client.get("/news").text == "news"
    assert client.get("/nothing").text.startswith("<!doctype html>\n<html lang=en>")
    assert client.get("/rse/healthz").text == "ok\n"
    assert b"/rse/static/rse.css" in client.get("/rse/nothing").data


def test_the_existing_application_says_who_is_signed_in_to_it(core: Any, make_person: Any) -> None:
    make_person("ada")
    host = Flask("intranet", static_folder=None)
    host.secret_key = "host"

    @host.get("/login/<name>")
    def login(name: str) -> str:
        session["name"] = name
        return name

    def identify() -> Identity | None:
        name = session.get("name")
        return Identity("host", name, username=name) if name else None

    RSE(host, core=core, background=False, identify=identify)
    client = host.test_client()
    assert client.get("/rse/notes/").text.endswith("nobody")
    client.get("/login/ada")
    assert client.get("/rse/notes/").text.endswith("ada")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', client.get("/rse/notes/").text))
    assert client.post("/rse/notes/", data={**fields, "text": "kept"}).status_code == 303
    client.get("/login/somebody-unknown")
    assert client.get("/rse/notes/").text.endswith("nobody")


def test_what_is_not_meant_for_a_person_is_not_shown_whatever_the_site_shows_at_inform(
    use_plugin: Any, as_person: Any
) -> None:
    from rse_core import audiences
    from rse_core.models.content import Page
    from rse_core.pages import PageClaim
    from rse_core.policy import touch
    from rse_core.testing.organisation import make_entity, make_person

    core = use_plugin(Notes(), inform_shows="all")
    inside = make_entity(core, "inside")
    make_person(core, "ada", entity=inside)
    make_person(core, "bob")
    with core.db.write() as session:
        core.pages.identify(session, PageClaim("/closed"), create=True)
        page = session.query(Page).one()
        page.audience_id = audiences.of_entity(session, inside.id)
        touch(session)
    client = create_app(core).test_client()

    def shown(person: str | None, address: str) -> bool:
        as_person(client, person)
        answer = client.get(f"/rse/embed/slots?address={address}&slots=notes")
        return bool(answer.json["slots"]["notes"]["html"])

    assert [shown(who, "/closed") for who in ("ada", "bob", None)] == [True, False, False]
    assert [shown(who, "/open") for who in ("ada", "bob", None)] == [True, True, True]


def test_an_unsafe_request_needs_the_token_of_its_session(app: Flask, make_person: Any, as_person: Any) -> None:
    ada = make_person("ada", level=Level.REACT)
    client = as_person(app.test_client(), ada)
    token = token_of(client)
    refused = client.post("/rse/notes/", data={"text": "x" * 60})
    assert refused.status_code == 403
    assert "x" * 60 in refused.text, "what was typed is kept"
    assert client.post("/rse/notes/", data={"csrf_token": "é" * 64}).status_code == 403
    assert client.post("/rse/notes/", data={"csrf_token": token}).status_code == 303
    other = as_person(app.test_client(), ada)
    assert other.post("/rse/notes/", data={"csrf_token": token}).status_code == 403, "bound to the session"


def test_a_refused_form_can_be_sent_again_from_the_page_that_says_so(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    assert "csrf_token" not in client.post("/rse/notes/", data={"text": "x"}).text.partition("<footer")[0]
    refused = client.post("/rse/notes/", data={"text": "hello <b>"}, headers={"Origin": "http://localhost"})
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', refused.text))
    assert fields["text"] == "hello &lt;b&gt;"
    again = client.post("/rse/notes/", data={"text": "hello <b>", "csrf_token": fields["csrf_token"]})
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": ORIGIN}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "https://intranet.test.evil.test"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_where_a_form_comes_from_is_checked_too(
    app: Flask, make_person: Any, as_person: Any, headers: dict[str, str], status: int
) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    answer = client.post("/rse/notes/", data={"csrf_token": token_of(client)}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert 'action="/rse/notes/' not in answer.text, "nothing to confirm that another site began"


def test_nobody_is_told_to_sign_in_and_keeps_what_was_typed(app: Flask) -> None:
    client = app.test_client()
    text = "A long remark that took a while to write down.\nWith a second line."
    answer = client.post("/rse/notes/", data={"csrf_token": token_of(client), "text": text})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "RSE"
    assert "With a second line." in answer.text
    api = client.post(
        "/rse/notes/", data={"csrf_token": token_of(client), "text": text}, headers={"X-RSE-Embed": "1"}
    )
    assert (api.status_code, api.mimetype) == (401, "application/problem+json")
    assert "login_url" in api.json


def test_a_session_that_has_ended_is_told_as_such_and_nothing_typed_is_lost(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    token = token_of(client)
    client.delete_cookie("rse_session")
    as_person(client, None)
    text = "A long remark that took a while to write down, and more."
    answer = client.post("/rse/notes/", data={"csrf_token": token, "text": text})
    assert answer.status_code == 401
    assert text in answer.text
    problem = client.post("/rse/notes/", headers={"X-RSE-Embed": "1", "X-RSE-CSRF": token})
    assert (problem.status_code, problem.json["code"]) == (401, "sign_in")
    assert problem.headers["WWW-Authenticate"] == "RSE"


def test_a_session_never_serves_two_people(app: Flask, make_person: Any, as_person: Any) -> None:
    make_person("ada")
    make_person("bob")
    client = as_person(app.test_client(), "ada")
    token = token_of(client)
    as_person(client, "bob")
    assert client.post("/rse/notes/", data={"csrf_token": token}).status_code == 403
    assert client.get("/rse/notes/").text.endswith("bob")
    as_person(client, None)
    assert client.get("/rse/notes/").text.endswith("nobody"), "an ambient identity leaves no session behind"


def test_a_hand_off_begins_a_session_that_the_ambient_identity_of_another_ends(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    make_person("ada")
    make_person("bob")
    client = app.test_client()
    assert client.post("/rse/notes/hand-off", data={"who": "ada"}).text == "ada"
    assert client.get("/rse/notes/").text.endswith("ada")
    as_person(client, "bob")
    assert client.get("/rse/notes/").text.endswith("bob")
    as_person(client, None)
    assert client.get("/rse/notes/").text.endswith("nobody")
    assert client.post("/rse/notes/hand-off", data={"who": "nobody-we-know"}).text == "unknown"
    assert client.get("/rse/notes/").text.endswith("nobody")


def test_the_session_cookie_is_our_own_and_shut(app: Flask, make_person: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    cookie = client.get("/rse/notes/").headers["Set-Cookie"]
    assert cookie.startswith("rse_session=")
    for part in ("HttpOnly", "SameSite=Lax"):
        assert part in cookie
    assert "Set-Cookie" not in client.get("/rse/notes/").headers, "not sent again with every answer"


def test_the_script_gets_the_slots_made_anew_and_a_plain_form_goes_back(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada", level=Level.REACT))
    token = token_of(client)
    answer = client.post("/rse/notes/", headers={"X-RSE-Embed": "1", "X-RSE-CSRF": token})
    assert answer.json["announce"] == "Noted by ada."
    assert answer.json["slots"]["notes"]["html"].startswith("<p>page:/news/1")
    back = client.post("/rse/notes/", data={"csrf_token": token, "return_to": "/news/1#end"})
    assert (back.status_code, back.headers["Location"]) == (303, "/news/1#end")


@pytest.mark.parametrize(
    "bad",
    ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/a\nb", "https://intranet.test@evil.test/"],
)
def test_no_form_leads_away_from_the_intranet(app: Flask, make_person: Any, as_person: Any, bad: str) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    answer = client.post("/rse/notes/", data={"csrf_token": token_of(client), "return_to": bad})
    assert answer.headers["Location"] == "/rse/"
    good = client.post("/rse/notes/", data={"csrf_token": token_of(client), "return_to": f"{ORIGIN}/news"})
    assert good.headers["Location"] == f"{ORIGIN}/news"


def test_all_slots_of_a_page_come_in_one_conditional_answer(app: Flask, make_person: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), make_person("ada", level=Level.REACT))
    address = "/rse/embed/slots?address=/news/1&slots=notes,other&slot.notes.sort=new&lang=en"
    first = client.get(address)
    assert first.status_code == 200
    assert first.json["page"] == "page:/news/1"
    assert first.json["slots"]["notes"]["html"] == "<p>page:/news/1 new en</p>", "no token in what is compared"
    assert first.json["slots"]["notes"]["stale_label"] == "1 new note"
    assert first.json["slots"]["other"]["html"] == ""
    assert first.json["css"][0].startswith("/rse/static/rse-embed.css?v=")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert re.fullmatch("[0-9a-f]{64}", first.headers["X-RSE-CSRF"])
    second = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["X-RSE-CSRF"] == first.headers["X-RSE-CSRF"]


def test_at_inform_the_intranet_is_as_it_was(app: Flask, make_person: Any, as_person: Any, set_level: Any) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    for asking in (client, app.test_client()):
        answer = asking.get("/rse/embed/slots?address=/news/1&slots=notes")
        assert answer.json["slots"]["notes"]["html"] == ""
        assert asking.get("/rse/embed/fragment/notes?address=/news/1").data == b""
    set_level(Level.REACT)
    assert client.get("/rse/embed/slots?address=/news/1&slots=notes").json["slots"]["notes"]["html"]


def test_a_section_that_is_capped_shows_nothing_there(
    app: Flask, make_person: Any, as_person: Any, set_level: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada", level=Level.COMMENT))
    set_level(Level.INFORM, section="/hr", kind="cap")
    assert client.get("/rse/embed/slots?address=/hr/leave&slots=notes").json["slots"]["notes"]["html"] == ""
    assert client.get("/rse/embed/slots?address=/news/1&slots=notes").json["slots"]["notes"]["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("slots=notes", 422),
        ("address=/news/1", 422),
        ("address=/news/1&slots=" + ",".join(f"s{n}" for n in range(13)), 422),
        ("address=/news/1&slots=a/../b", 422),
        ("address=https://evil.test/x&slots=notes", 404),
        ("address=%00&slots=notes", 404),
    ],
)
def test_a_request_for_slots_that_makes_no_sense_is_refused(app: Flask, query: str, status: int) -> None:
    answer = app.test_client().get(f"/rse/embed/slots?{query}")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["detail"]


def test_without_javascript_the_fragment_carries_a_form_that_works(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada", level=Level.REACT))
    html = client.get("/rse/embed/fragment/notes?address=/news/1&return_to=/news/1%3Fp%3D2").text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
    assert fields["return_to"] == "/news/1?p=2"
    assert fields["idempotency_key"]
    done = client.post("/rse/notes/", data=fields)
    assert (done.status_code, done.headers["Location"]) == (303, "/news/1?p=2")
    assert "Noted by ada." in client.get("/rse/embed/fragment/notes?address=/news/1").text
    assert "Noted by ada." not in client.get("/rse/embed/fragment/notes?address=/news/1").text


def test_the_slots_of_a_page_cost_the_same_however_many_are_asked(
    app: Flask, core: Any, make_person: Any, as_person: Any
) -> None:
    client = as_person(app.test_client(), make_person("ada", level=Level.REACT))
    client.get("/rse/embed/slots?address=/news/1&slots=notes")
    with count_queries(core) as one:
        client.get("/rse/embed/slots?address=/news/1&slots=notes")
    with count_queries(core) as many:
        client.get("/rse/embed/slots?address=/news/1&slots=notes,a,b,c,d,e")
    assert len(one) == len(many) <= 6, str(one)


def test_a_visit_is_noted_once_a_day_at_every_level(app: Flask, core: Any, make_person: Any, as_person: Any) -> None:
    from sqlalchemy import func, select

    from rse_core.models.runtime import Visit

    client = as_person(app.test_client(), make_person("ada"))
    for _ in range(3):
        client.get("/rse/embed/slots?address=/news/1&slots=notes")
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Visit)) == 1


def test_an_identity_that_must_not_be_believed_is_refused_with_a_page(
    use_plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Source:
        name = "strict"

        def identify(self, environ: Any) -> None:
            raise IdentityRefused("This sign-in is too old.", code="expired", remedy="Open the page again.")

        def login_url(self, return_to: str) -> str:
            return f"/login?to={return_to}"

        def logout_url(self, return_to: str) -> None:
            return None

    class Strict(Plugin):
        manifest = Manifest("strict", "Strict", kind="adapter")

        @hookimpl(tryfirst=True)
        def rse_identity_source(self) -> Source:
            return Source()

    client = create_app(use_plugin(Strict(), identity=False)).test_client()
    page = client.get("/rse/")
    assert page.status_code == 403
    assert "This sign-in is too old." in page.text
    assert client.get("/rse/embed/slots?address=/&slots=a").json["code"] == "expired"
    # A text that a person wrote is given back; a provider's message, which an adapter says is none, is not.
    written = "A text of more than forty characters, written by hand"
    assert written in client.post("/rse/", data={"body": written}).text
    with monkeypatch.context() as patch:
        patch.setattr(IdentityRefused, "shows_what_was_sent", False)
        assert written not in client.post("/rse/", data={"body": written}).text
    assert client.get("/rse/healthz").status_code == 200


def test_what_fails_inside_says_nothing_of_the_inside(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/rse/notes/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    problem = app.test_client().get("/rse/notes/broken", headers={"Accept": "application/json"})
    assert problem.mimetype == "application/problem+json"
    assert json.loads(problem.data)["status"] == 500


def test_a_wrong_method_keeps_its_allow_header(app: Flask) -> None:
    answer = app.test_client().delete("/rse/healthz")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_body_that_is_too_large_is_refused(app: Flask, core: Any, make_person: Any, as_person: Any) -> None:
    client = as_person(app.test_client(), make_person("ada"))
    answer = client.post("/rse/notes/", data={"text": "x" * (core.settings.max_body + 1)})
    assert answer.status_code == 413


def test_every_page_forbids_what_it_does_not_need(app: Flask) -> None:
    headers = app.test_client().get("/rse/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"frame-ancestors 'self' {ORIGIN}" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_static_files_with_their_hash_may_be_kept_for_good(app: Flask) -> None:
    client = app.test_client()
    address = re.search(r'href="(/rse/static/rse\.css\?v=\w+)"', client.get("/rse/").text).group(1)  # type: ignore[union-attr]
    with client.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_plugin_that_is_off_has_no_pages_and_no_markup(
    app: Flask, core: Any, make_person: Any, as_person: Any
) -> None:
    from rse_core.api import Actor

    client = as_person(app.test_client(), make_person("ada", level=Level.REACT))
    assert client.get("/rse/notes/").status_code == 200
    with core.db.write() as session:
        core.plugins.disable(session, "notes", Actor("test"))
    assert client.get("/rse/notes/").status_code == 404
    assert client.get("/rse/embed/slots?address=/news/1&slots=notes").json["slots"]["notes"]["html"] == ""


def test_the_language_is_the_persons_then_the_pages_then_the_browsers(
    app: Flask, make_person: Any, as_person: Any
) -> None:
    def language(client: Any, query: str = "", accept: str = "") -> str:
        answer = client.get(
            f"/rse/embed/slots?address=/n&slots=notes{query}", headers={"Accept-Language": accept} if accept else {}
        )
        return answer.json["slots"]["notes"]["html"][-6:-4]

    known = as_person(app.test_client(), make_person("ada", level=Level.REACT, locale="en"))
    free = as_person(app.test_client(), make_person("bob", level=Level.REACT))
    assert language(known, "&lang=fr-FR") == "en"
    assert language(free, "&lang=en-GB", "fr") == "en"
    assert language(free, "&lang=de", "en") == "en"
    assert language(free) == "fr"


def test_the_viewer_knows_the_prefix_that_it_is_reached_by(app: Flask) -> None:
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/deep/rse"}):
        from flask import g

        g.rse_person = g.rse_identity = None
        assert viewer(embed=True).prefix == "/deep/rse"


def test_a_flood_of_forms_is_stopped_for_that_person_alone(
    app: Flask, make_person: Any, as_person: Any, monkeypatch: pytest.MonkeyPatch, core: Any
) -> None:
    from rse_core.web import limits

    monkeypatch.setattr(limits, "UNSAFE", "3 per minute")
    strict = create_app(core)
    ada = as_person(strict.test_client(), make_person("ada"))
    bob = as_person(strict.test_client(), make_person("bob"))
    form = {"csrf_token": token_of(ada), "text": "x"}
    assert [ada.post("/rse/notes/", data=form).status_code for _ in range(5)] == [303, 303, 303, 429, 429]
    assert ada.get("/rse/notes/").status_code == 200, "reading goes on"
    assert bob.post("/rse/notes/", data={"csrf_token": token_of(bob)}).status_code == 303

def test_a_conflict_gives_programs_the_state_as_it_is_now(rse_core):
    class Clash(Plugin):
        manifest = Manifest("clash", "Clash")

        @hookimpl
        def rse_blueprints(self):
            blueprint = Blueprint("rse_clash", __name__, url_prefix="/clash")

            @blueprint.get("/")
            def stale():
                raise Conflict("Changed meanwhile.", current={"version": 3})

            return [blueprint]

    client = create_app(rse_core([Clash()])).test_client()
    answer = client.get("/rse/clash/", headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json["current"] == {"version": 3}
    assert "version" not in client.get("/rse/clash/", headers={"Accept": "text/html"}).text
