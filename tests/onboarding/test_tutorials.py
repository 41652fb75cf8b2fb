"""Tutorials: those that plugins bring and the site's own, read, noted, written, found."""

from __future__ import annotations

import pytest

from rse_core import search
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, use_locale
from rse_core.privacy import erase, export
from rse_core.roles import grant
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person
from rse_onboarding import editing, objects, shipped, tutorials
from rse_onboarding.editing import Draft

TEXT = "Look **here**.\n\n- one\n- two\n\n<script>alert(1)</script>"


@pytest.fixture
def admin(core, north):
    person = make_person(core, "root", entity=north, locale="en")
    with core.db.write() as session:
        grant(session, person.id, "site_admin", actor=Actor("test"))
    return person


@pytest.fixture
def write(core, admin):
    def write(title="How we answer", level=2, **values):
        with core.db.write() as session:
            return editing.add(session, Actor("root", admin.id), Draft(title, values.pop("body", TEXT), level, **values))

    return write


def listed(core, person, locale="en"):
    with core.db.read() as session, use_locale(locale):
        return [one.key for one in tutorials.listed(session, person.id)]


def test_one_sees_those_of_ones_level_in_ones_language(core, anna, level, write):
    mine, french = write(), write("Répondre", locale="fr")
    write("For later", level=3)
    assert listed(core, anna) == []
    level("comment")
    assert listed(core, anna) == ["onboarding.levels", "onboarding.good_comment", mine.key]
    assert listed(core, anna, "fr") == ["onboarding.levels", "onboarding.good_comment", mine.key, french.key]
    level("contribute")
    assert "feed.first_post" in listed(core, anna)


def test_a_tutorial_that_is_not_open_is_not_there(core, anna, level, write):
    key = write().key
    level("react")
    with core.db.read() as session:
        for wanted in (key, "onboarding.good_comment", "site.999", "site.x", "nothing", "site.99999999999999999999"):
            with pytest.raises(NotFound):
                tutorials.one(session, anna.id, wanted)


def test_the_page_speaks_the_readers_language_and_shows_no_markup_of_others(core, anna, level, write, visit):
    key = write().key
    level("comment")
    client = visit(anna)
    page = client.get(f"/rse/onboarding/tutorials/{key}").text
    assert "<strong>here</strong>" in page
    assert "<script>alert" not in page
    assert "What the levels mean" in client.get("/rse/onboarding/tutorials/onboarding.levels").text
    assert "Ce que veulent dire les niveaux" in client.get("/rse/onboarding/tutorials/onboarding.levels?lang=fr").text


def test_done_and_useful_are_ones_own_and_others_see_numbers(core, anna, north, level, write, visit, send):
    key = write().key
    level("comment")
    ben = make_person(core, "ben", entity=north)
    address = f"/rse/onboarding/tutorials/{key}"
    for person, acts in ((anna, ("done", "useful", "useful")), (ben, ("useless",))):
        client = visit(person)
        for act in acts:
            assert send(client, "post", address, data={"act": act}).status_code == 303
    page = visit(anna).get(address).text
    assert "Not done after all" in page
    with core.db.read() as session:
        assert tutorials.feedback(session)[key] == tutorials.Feedback(1, 1, 1)
        assert tutorials.one(session, ben.id, key).done_at is None
    send(visit(anna), "post", address, data={"act": "undone"})
    with core.db.read() as session:
        assert tutorials.feedback(session)[key] == tutorials.Feedback(0, 1, 1)
    assert send(visit(anna), "post", address, data={"act": "delete"}).status_code == BadInput.status


def test_the_list_costs_the_same_for_many(core, anna, level, write):
    level("comment")
    listed(core, anna)
    with count_queries(core) as few:
        listed(core, anna)
    for number in range(20):
        write(f"Page {number}")
    listed(core, anna)
    with count_queries(core) as many:
        listed(core, anna)
    assert len(few) == len(many) == 2, str(many)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "), ("title", "x" * 201), ("body", ""), ("body", "x" * 20_001), ("level", 0), ("level", 6),
        ("locale", "de"), ("order", -1), ("video", "javascript:alert(1)"), ("video", "ftp://x/y"),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_refused_by_field(core, write, field, value):
    with pytest.raises(BadInput) as caught:
        write(**{field: value})
    assert list(caught.value.fields) == [field]


def test_only_administrators_write(core, anna, level, write, visit):
    level("comment")
    with core.db.write() as session, pytest.raises(Forbidden):
        editing.add(session, Actor("anna", anna.id), Draft("T", "b", 1))
    for page in ("", "new", write().key.removeprefix("site.")):
        assert visit(anna).get(f"/rse/onboarding/admin/{page}").status_code == 403


def test_two_who_change_one_at_once_do_not_lose_anything(core, admin, write):
    page = write()
    number = tutorials.site_id(page.key)
    with core.db.write() as session:
        changed = editing.change(session, Actor("root", admin.id), number, Draft("New", "b", 3), version=1)
    assert (changed.title, changed.version) == ("New", 2)
    with core.db.write() as session, pytest.raises(Conflict):
        editing.change(session, Actor("root", admin.id), number, Draft("Other", "b", 3), version=1)


def test_a_site_has_no_more_than_a_list_can_hold(write, monkeypatch):
    monkeypatch.setattr(editing, "MOST", 1)
    write()
    with pytest.raises(Conflict):
        write()


def test_the_editor_keeps_what_was_typed_and_publishes(core, admin, level, visit, send):
    level("comment")
    client = visit(admin)
    bad = {"title": "Kept title", "body": "Kept body", "level": "2", "locale": "fr", "order": "5", "video": "nonsense"}
    answer = send(client, "post", "/rse/onboarding/admin/new", data=bad)
    assert answer.status_code == BadInput.status
    assert all(text in answer.text for text in ("Kept title", "Kept body", "nonsense", 'aria-invalid="true"'))
    assert send(client, "post", "/rse/onboarding/admin/new", data={**bad, "video": ""}).status_code == 303
    page = client.get("/rse/onboarding/admin/").text
    assert "Kept title" in page
    with core.db.read() as session:
        number = tutorials.site_id(editing.all_of(session, admin.id)[0].key)
    form = client.get(f"/rse/onboarding/admin/{number}").text
    assert 'value="1"' in form
    address = f"/rse/onboarding/admin/{number}"
    assert send(client, "post", address, data={**bad, "video": "", "version": "1"}).status_code == 303
    assert send(client, "post", address, data={**bad, "video": "", "version": "1"}).status_code == Conflict.status
    assert send(client, "post", address, data={"act": "delete"}).status_code == 303
    assert client.get(address).status_code == 404


def give(core):
    """What plugins bring is looked at, and everything that happened is told."""
    with core.db.write() as session:
        objects.follow_shipped(session)
    core.jobs.run_due()


def found(core, person, text):
    with core.db.read() as session:
        answer = core.plugins.search_backend().find(
            session, search.scopes(session, person.id), search.SearchQuery(text, kinds=("tutorial",))
        )
        return sorted(hit.ref.id for hit in answer.hits)


def test_tutorials_are_found_from_their_level_on(core, anna, level, admin, write):
    key = write("Zebra crossing").key
    give(core)
    level("react")
    assert found(core, anna, "zebra") == []
    assert found(core, anna, "levels") == ["onboarding.levels.en"]
    level("comment")
    assert found(core, anna, "zebra") == [key]
    number = tutorials.site_id(key)
    with core.db.write() as session:
        editing.change(session, Actor("root", admin.id), number, Draft("Zebra", "b", 4), version=1)
    core.jobs.run_due()
    assert found(core, anna, "zebra") == []
    level("collaborate")
    assert found(core, anna, "zebra") == [key]
    with core.db.write() as session:
        editing.remove(session, Actor("root", admin.id), number)
    core.jobs.run_due()
    assert found(core, anna, "zebra") == []


def test_what_plugins_bring_is_given_to_the_search_once_and_again_when_it_changes(core, monkeypatch):
    give(core)
    given = []
    monkeypatch.setattr(objects, "emit", lambda _session, event: given.append(str(event.ref)))
    with core.db.write() as session:
        objects.follow_shipped(session)
    assert given == []
    read = shipped.text

    def changed(tutorial, locale):
        text = read(tutorial, locale)
        return shipped.Text("Other", text.body) if (tutorial.key, locale) == ("feed.first_post", "fr") else text

    monkeypatch.setattr(shipped, "text", changed)
    with core.db.write() as session:
        objects.follow_shipped(session)
    assert given == ["onboarding.tutorial3:feed.first_post.fr"]


def test_export_and_erasure(core, anna, level, write):
    key = write().key
    level("comment")
    with core.db.write() as session:
        tutorials.note(session, anna.id, key, done=True, useful=False)
    with core.db.read() as session:
        mine = next(one for one in export(session, anna.id)["sections"] if one["name"] == "onboarding.notes")["rows"]
    assert [(row["tutorial"], row["useful"]) for row in mine] == [(key, False)]
    with core.db.write() as session:
        erase(session, anna.id, actor=Actor("test"))
    with core.db.read() as session:
        assert tutorials.feedback(session) == {}


def test_every_tutorial_that_is_brought_is_whole_in_both_languages(core):
    for key, (_plugin, tutorial) in shipped.offered(core).items():
        for locale in shipped.LOCALES:
            text = shipped.text(tutorial, locale)
            assert text.title, key
            assert len(text.body) > 200, key
            assert "#" not in text.title, key
