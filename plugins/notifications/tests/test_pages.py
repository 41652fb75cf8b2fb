"""The list, preferences, the site's defaults, the digest's preview and the address that stops a mail."""

from __future__ import annotations

import re

import pytest

from rse_core import notify, roles
from rse_core.api import Actor, ObjectRef
from rse_core.audiences import of_members
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_notifications import contents, service, tokens

HERE = "/rse/notifications/"


@pytest.fixture
def client(site, rse_app_of, anna):
    return as_person(rse_app_of(site).test_client(), anna)


@pytest.fixture
def rse_app_of():
    def make(core):
        from rse_core.extension import create_app

        return create_app(core)

    return make


@pytest.fixture
def token(client):
    def token():
        page = client.get("/rse/me/").text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    return token


@pytest.fixture
def post_form(client, token):
    def post_form(path, **fields):
        return client.post(HERE + path, data={"csrf_token": token(), **fields})

    return post_form


def key_of(core, person, kind="bulletin.noted"):
    with core.db.read() as session:
        return next(one.key for one in notify.of_person(session, person.id) if one.type == kind)


def test_the_list_says_what_is_new_and_where_it_leads(client, anna, ben, tell, announce, bulletin):
    bulletin.notes["2"] = {"title": "<script>"}
    tell(anna, actor=ben)
    announce(ref=ObjectRef("bulletin.note", "2"), actor=ben)
    page = client.get(HERE).text
    assert "Benoît Œuvrard and 1 on Note 1" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert page.count('class="rse-notice is-unread"') == 2
    assert "2" in re.search(r'class="rse-count-badge">([^<]+)<', page)[1]


def test_following_one_reads_it_and_leads_there(site, client, anna, tell):
    tell(anna)
    answer = client.get(f"{HERE}go/{key_of(site, anna)}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rse/n/1")
    with site.db.read() as session:
        assert notify.unread(session, anna.id) == 0
    assert "is-unread" not in client.get(HERE).text
    assert client.get(f"{HERE}?show=unread").text.count("rse-notice__text") == 0


def test_another_persons_is_as_one_that_is_not_there(site, client, ben, tell):
    tell(ben)
    theirs, nobody = client.get(f"{HERE}go/{key_of(site, ben)}"), client.get(f"{HERE}go/n999")
    assert (theirs.status_code, nobody.status_code) == (404, 404)
    said = [re.search(r"<main.*</main>", one.text, re.S)[0] for one in (theirs, nobody)]
    assert said[0] == said[1]
    with site.db.read() as session:
        assert notify.unread(session, ben.id) == 1
    assert client.get(f"{HERE}go/rubbish").status_code == 422


def test_reading_hiding_and_muting_from_the_list(site, client, anna, ben, tell, post_form, bulletin):
    space = make_space(site, "den", members=[anna])
    with site.db.read() as session:
        bulletin.notes["1"] = {"audience_id": of_members(session, space.id), "space_id": space.id}
    tell(anna, actor=ben)
    key = key_of(site, anna)
    assert post_form("read", key=key).status_code == 303
    with site.db.read() as session:
        assert notify.unread(session, anna.id) == 0
    assert post_form("mute", ref="bulletin.note:1", act="mute").status_code == 303
    page = client.get(HERE).text
    assert 'value="unmute"' in page
    assert "Note 1" in re.search(r'id="muted".*', client.get(f"{HERE}preferences").text, re.S)[0]
    post_form("mute", ref="bulletin.note:1", act="unmute")
    with site.db.read() as session:
        assert notify.muted_by(session, anna.id) == []
    post_form("hide", key=key)
    assert "rse-notice__text" not in client.get(HERE).text


def test_what_one_may_not_know_of_cannot_be_muted_and_answers_as_what_is_not_there(site, post_form, bulletin):
    secret = make_space(site, "secret", visibility="secret")
    with site.db.read() as session:
        bulletin.notes["5"] = {"audience_id": of_members(session, secret.id), "space_id": secret.id}
    answers = [post_form("mute", ref=ref, act="mute") for ref in ("bulletin.note:5", "bulletin.note:404")]
    assert {answer.status_code for answer in answers} == {404}
    assert "nothing of this name" in answers[0].text
    assert post_form("mute", ref="nonsense", act="mute").status_code == 422


def test_pages_lead_on_by_cursor_and_refuse_another_lists(site, client, anna, bulletin, tell, monkeypatch):
    monkeypatch.setattr(service.page, "__kwdefaults__", {**service.page.__kwdefaults__, "most": 3})
    for number in range(5):
        bulletin.notes[str(number)] = {}
        tell(anna, ref=ObjectRef("bulletin.note", str(number)), cause=f"c:{number}")
    first = client.get(HERE).text
    link = re.search(r'href="([^"]*after=[^"]+)"', first)[1].replace("&amp;", "&")
    second = client.get(link).text
    seen = [re.findall(r"on Note (\d)</a>", page) for page in (first, second)]
    assert seen == [["4", "3", "2"], ["1", "0"]]
    assert client.get(f"{link}&show=unread").status_code == 422
    assert client.get(f"{HERE}?after=rubbish").status_code == 422


def test_the_page_costs_the_same_for_one_and_for_many(site, client, anna, bulletin, tell, announce):
    counts = []
    for number in range(6):
        bulletin.notes[str(number)] = {}
        ref = ObjectRef("bulletin.note", str(number))
        tell(anna, ref=ref, cause=f"c:{number}")
        announce(ref=ref, cause=f"b:{number}")
        client.get(HERE)
        with count_queries(site) as count:
            assert client.get(HERE).status_code == 200
        counts.append(len(count))
    assert len(set(counts)) == 1, counts


def test_preferences_are_kept_and_a_refused_form_comes_back_as_typed(site, client, anna, post_form):
    page = client.get(f"{HERE}preferences").text
    assert "A note for you" in page
    field = "way.bulletin.noted.mail"
    assert post_form("preferences", **{field: "weekly"}, hour="7", zone="Indian/Reunion").status_code == 303
    with site.db.read() as session:
        wish = notify.wishes(session, anna.id)["bulletin.noted", "mail"]
        assert (wish.value, wish.default, wish.chosen) == ("weekly", "immediate", True)
        assert service.schedule(session, anna.id) == (7, "Indian/Reunion")
    answer = post_form("preferences", **{field: "none"}, hour="7", zone="Mars/Phobos")
    assert answer.status_code == 422
    assert 'value="Mars/Phobos"' in answer.text
    assert re.search(r'<option value="none" selected>', answer.text)
    for fields in ({field: "hourly"}, {"way.nothing.mail": "none"}, {"way.bulletin.noted.pigeon": "none"}, {"hour": "25"}):
        assert post_form("preferences", **fields).status_code == 422
    with site.db.read() as session:
        assert notify.wishes(session, anna.id)["bulletin.noted", "mail"].value == "weekly", "all or nothing"
    post_form("preferences", **{field: ""})
    with site.db.read() as session:
        assert not notify.wishes(session, anna.id)["bulletin.noted", "mail"].chosen


def test_types_that_cannot_reach_the_person_are_not_there(site, client):
    set_level(site, "inform")
    page = client.get(f"{HERE}preferences").text
    assert "A note for you" not in page
    assert "A decision" in page, "it asks for no level"


def test_defaults_are_for_site_administrators(site, client, anna, post_form):
    assert client.get(f"{HERE}defaults").status_code == 403
    assert "defaults" not in client.get(f"{HERE}preferences").text
    assert post_form("defaults", **{"way.bulletin.noted.mail": "none"}).status_code == 403
    with site.db.write() as session:
        roles.grant(session, anna.id, "site_admin", actor=Actor("test"))
    assert client.get(f"{HERE}defaults").status_code == 200
    assert post_form("defaults", **{"way.bulletin.noted.mail": "none"}).status_code == 303
    with site.db.read() as session:
        assert notify.wishes(session, None)["bulletin.noted", "mail"].value == "none"


def test_the_preview_shows_the_next_digest_and_nothing_that_is_closed(client, anna, ben, tell, bulletin):
    bulletin.notes["2"] = {"title": "Secret"}
    tell(anna, "bulletin.liked", actor=ben)
    tell(anna, "bulletin.liked", actor=ben, ref=ObjectRef("bulletin.note", "2"), cause="c:2")
    bulletin.notes["2"]["state"] = "pending"
    page = client.get(f"{HERE}digest").text
    assert "Benoît Œuvrard and 1 on Note 1" in page
    assert "Secret" not in page


def stop_path(core, person, what="bulletin.noted"):
    return f"{HERE}unsubscribe/{tokens.sign(core, tokens.Stop(person.id, 'mail', what))}"


def test_one_click_stops_a_mail_without_signing_in_and_looking_does_not(site, rse_app_of, anna):
    stranger = rse_app_of(site).test_client()
    path = stop_path(site, anna)
    page = stranger.get(path)
    assert page.status_code == 200
    assert "A note for you" in page.text
    with site.db.read() as session:
        assert notify.wishes(session, anna.id)["bulletin.noted", "mail"].value == "immediate"
    for _again in range(2):
        answer = stranger.post(path, data={"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200
    with site.db.read() as session:
        assert notify.wishes(session, anna.id)["bulletin.noted", "mail"].value == "none"
    assert stranger.get(path[:-3]).status_code == 404
    assert stranger.post(path[:-3]).status_code == 404


def test_one_click_stops_a_digest(site, rse_app_of, anna):
    assert rse_app_of(site).test_client().post(stop_path(site, anna, "daily")).status_code == 200
    with site.db.read() as session:
        ways = {kind: wish.value for (kind, by), wish in notify.wishes(session, anna.id).items() if by == "mail"}
    assert "daily" not in ways.values()
    assert (ways["bulletin.noted"], ways[contents.READING]) == ("immediate", "weekly"), "nothing else"


def test_the_bell_is_in_the_intranets_pages_for_who_does_more_than_read(site, client, anna, tell):
    tell(anna)

    def bell():
        return client.get("/rse/embed/slots?address=/news/1&slots=bell").json["slots"]["bell"]["html"]

    # Without the intranet's origin an address of another host is refused; a path is the main site's.
    assert "Notifications: 1 unread" in bell()
    set_level(site, "inform")
    assert bell() == ""


def test_the_page_about_me_leads_to_the_list(client, anna, tell):
    tell(anna)
    page = client.get("/rse/me/").text
    assert 'href="/rse/notifications/"' in page
    assert "Note 1" not in page


def test_nobody_in_particular_has_no_notifications(site, rse_app_of):
    stranger = rse_app_of(site).test_client()
    for path in ("", "preferences", "digest", "defaults", "go/n1"):
        assert stranger.get(HERE + path).status_code in (302, 401), path


def test_what_is_kept_is_exported_and_erased(site, anna, ben, tell, run):
    from rse_core import privacy

    tell(anna, actor=ben)
    run()
    with site.db.write() as session:
        service.set_schedule(session, anna.id, 6, "Europe/Paris")
        service.mute(session, anna.id, ObjectRef("bulletin.note", "1"))
        notify.choose(session, anna.id, "bulletin.noted", "mail", "weekly")
        kept = {one["name"]: one["rows"] for one in privacy.export(session, anna.id)["sections"]}
    assert [row.get("state") for row in kept["notifications.messages"]] == ["sent", None]
    assert {"ref_type": "bulletin.note", "ref_id": "1", "hears": "mentions"} in kept["core.notifications"]
    assert {"type": "bulletin.noted", "channel": "mail", "way": "weekly"} in kept["core.notifications"]
    with site.db.write() as session:
        privacy.erase(session, anna.id, actor=Actor("test"))
        left = {one["name"]: list(one["rows"]) for one in privacy.export(session, anna.id)["sections"]}
    assert left["notifications.messages"] == left["core.notifications"] == []


def test_somebody_new_reads_why_the_page_is_empty(site, rse_app_of):
    page = as_person(rse_app_of(site).test_client(), make_person(site, "new", locale="en")).get(HERE).text
    assert "Nothing concerns you yet" in page


def test_the_menu_is_drawn_once_and_names_to_each_the_changes_that_are_theirs(site, rse_app_of, anna, ben):
    app = rse_app_of(site)
    for person in (anna, ben, anna):
        page = as_person(app.test_client(), person).get(HERE).text
        assert set(re.findall(r'data-rse-topic="core\.notices:([^"]*)"', page)) == {str(person.id)}
        assert "<!--rse-me-->" not in page
