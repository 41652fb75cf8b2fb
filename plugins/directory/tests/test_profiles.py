"""One's own profile, expertise, questions, reports, the chart, what leaves, and what is limited."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import indicators_figures, indicators_roll, people
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound, TooMany, utcnow
from rse_core.audit import entries
from rse_core.models.indicators import Fact
from rse_core.notify import of_person
from rse_core.roles import grant
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_space, set_level
from rse_directory import arrivals, chart, exporting, indexing, objects, personal, skills
from rse_directory import editing as service
from rse_directory.finding import Asked


@pytest.fixture
def open_site(site):
    """At COMMENT: people confirm and ask."""
    set_level(site.core, "comment")
    return site


@pytest.fixture
def paul(site):
    return site.person("paul", name="Paul Petit", job_title="Archiviste", phone="01 45 67 12 34", email="paul@example.org")


def told(site, person):
    with site.core.db.read() as session:
        return [one.type for one in of_person(session, person.id)]


def test_at_inform_one_looks_and_fills_in_but_does_not_confirm_or_ask(site, anna, paul):
    site.edit(paul, skills=["Python"], about="Je range.")
    answer = site.get(anna, "people/paul")
    assert answer.status_code == 200
    assert "Je range." in answer.text
    with site.core.db.write() as session, pytest.raises(Forbidden):
        skills.endorse(session, anna.id, "paul", "python")
    with site.core.db.write() as session, pytest.raises(Forbidden):
        skills.ask(session, anna.id, "paul", "Comment ?")


def test_what_a_source_keeps_is_locked_and_said_so(site, paul):
    site.change(paul, source="ldap")
    with pytest.raises(BadInput) as error:
        site.edit(paul, phone="0102030405")
    assert set(error.value.fields) == {"phone"}
    assert "LDAP" in site.get(paul, "me").text
    site.edit(paul, phone="01 45 67 12 34", about="The same number is no change.")
    site.set(kept={"ldap": ["email"]})
    site.edit(paul, phone="0102030405")
    assert site.find(paul, "02030405") == ["paul"]
    with site.core.db.read() as session:
        assert people.get(session, paul.id).phone == "0102030405"


def test_a_field_that_is_not_ones_own_cannot_be_sent_along(site, paul):
    for values in ({"display_name": "X"}, {"is_manager": True}, {"filled": 100}, {"person_id": 1}):
        with pytest.raises(BadInput):
            site.edit(paul, **values)


def test_a_stale_form_is_refused_and_nothing_of_it_saved(site, paul):
    site.edit(paul, about="first")
    with site.core.db.write() as session:
        service.edit(session, paul.id, {"about": "second"}, version=1)
    with site.core.db.write() as session, pytest.raises(Conflict):
        service.edit(session, paul.id, {"about": "stale"}, version=1)
    assert site.page(paul, "paul").card.value("about") == "second"


@pytest.mark.parametrize(
    "values", [{"about": "x" * 4001}, {"birthday": (31, 2)}, {"birthday": ("x", 1)}, {"skills": ["y" * 121]},
               {"skills": [f"s{number}" for number in range(31)]}, {"choices": {"job_title": "nobody"}},
               {"choices": {"photo": "nobody"}}, {"choices": {"nothing": "nobody"}}, {"choices": {"about": "friends"}}],
)  # fmt: skip
def test_what_cannot_be_taken_names_its_field(site, paul, values):
    with pytest.raises(BadInput) as error:
        site.edit(paul, **values)
    assert error.value.fields


def test_expertise_is_confirmed_once_and_loses_that_when_it_is_withdrawn(open_site, anna, paul):
    site = open_site
    site.edit(paul, skills=["Python"])
    for _again in range(2):
        with site.core.db.write() as session:
            skills.endorse(session, anna.id, "paul", "PYTHON")
    assert [(one.endorsed, one.by_me) for one in site.page(anna, "paul").expertise] == [(1, True)]
    assert told(site, paul) == ["directory.endorsed"]
    with site.core.db.write() as session, pytest.raises(Forbidden):
        skills.endorse(session, paul.id, "paul", "python")
    with site.core.db.write() as session, pytest.raises(NotFound):
        skills.endorse(session, anna.id, "paul", "cobol")
    site.edit(paul, skills=[])
    assert told(site, paul) == []
    site.edit(paul, skills=["python"])
    assert [one.endorsed for one in site.page(anna, "paul").expertise] == [0]


def test_a_closed_vocabulary_takes_no_new_word_and_merging_keeps_the_people(site, anna, paul):
    site.edit(paul, skills=["Pyton"])
    with site.core.db.write() as session:
        grant(session, anna.id, "site_admin", actor=Actor("test"))
    with site.core.db.write() as session, pytest.raises(Forbidden):
        skills.add(session, Actor("paul", paul.id), "Rust")
    with site.core.db.write() as session:
        skills.add(session, Actor("anna", anna.id), "Python")
        skills.remove(session, Actor("anna", anna.id), "pyton", into="python")
    assert site.find(anna, skill="python") == ["paul"]
    assert site.find(anna, "pyton") == []
    site.set(open_vocabulary=False)
    with pytest.raises(BadInput):
        site.edit(paul, skills=["Python", "Cobol"])


def test_a_question_is_read_by_the_two_and_nobody_else_and_not_without_end(open_site, anna, paul):
    site, mia = open_site, open_site.person("mia", name="Mia")
    with site.core.db.write() as session:
        ident = skills.ask(session, anna.id, "paul", "Comment <b>archiver</b> ?", skill="Archives")
    assert told(site, paul) == ["directory.asked"]
    assert "&lt;b&gt;archiver" in site.get(paul, f"questions/{ident}").text
    assert site.get(anna, f"questions/{ident}").status_code == 200
    assert site.get(mia, f"questions/{ident}").status_code == 404
    with site.core.db.write() as session:
        for _number in range(skills.ASKED_A_DAY - 1):
            skills.ask(session, anna.id, "paul", "Encore ?")
    with site.core.db.write() as session, pytest.raises(TooMany):
        skills.ask(session, anna.id, "paul", "Encore ?")
    site.edit(mia, listed=False)
    with site.core.db.write() as session, pytest.raises(NotFound):
        skills.ask(session, paul.id, "mia", "Là ?")


def test_a_report_reaches_those_who_moderate_and_they_can_empty_the_text(site, anna, paul):
    site.edit(paul, about="Insultes", projects="Bien")
    with site.core.db.write() as session:
        grant(session, anna.id, "site_admin", actor=Actor("test"))
    mia = site.person("mia", name="Mia")
    with site.core.db.write() as session:
        objects.report(session, mia.id, "paul", "des insultes")
    assert told(site, anna) == ["directory.reported"]
    with site.core.db.write() as session, pytest.raises(Forbidden):
        objects.clear(session, Actor("mia", mia.id), "paul", "about", "moi")
    with site.core.db.write() as session:
        objects.clear(session, Actor("anna", anna.id), "paul", "about", "insultes")
    assert site.find(anna, "insultes") == []
    assert site.page(mia, "paul").card.value("projects") == "Bien"
    assert told(site, paul) == ["directory.cleared"]


def test_a_circle_of_managers_ends_and_breadth_is_bounded(site, anna, monkeypatch):
    monkeypatch.setattr(chart, "BREADTH", 3)
    boss = site.person("boss", name="Boss")
    one = site.person("one", name="One", manager=boss)
    for number in range(5):
        site.person(f"w{number}", name=f"Worker {number}", manager=one)
    with site.core.db.read() as session:
        top = chart.by_manager(session, anna.id)
        assert [node.card.username for node in top.nodes] == ["boss"]
        assert [node.card.username for node in top.nodes[0].below[0].below] == ["w0", "w1", "w2"]
        assert top.nodes[0].below[0].more
        found = chart.by_manager(session, anna.id, "w0")
        assert [card.username for card in found.above] == ["boss", "one"]
    site.change(boss, manager_id=one.id)
    with site.core.db.read() as session:
        found = chart.by_manager(session, anna.id, "boss")
        assert [node.card.username for node in found.nodes] == ["boss"]
        with count_queries(site.core) as count:
            chart.by_manager(session, anna.id, "boss", depth=4)
    assert len(count) < 30
    assert site.get(anna, "chart?of=boss").status_code == 200


def test_who_runs_an_entity_stands_beside_it(site, anna):
    north = make_entity(site.core, "north", name="Nord")
    make_entity(site.core, "lille", name="Lille", parent=north)
    site.person("chief", name="Chief", entity=north, is_manager=True)
    with site.core.db.read() as session:
        (node,) = chart.by_entity(session, anna.id)
    assert [card.username for card in node.heads] == ["chief"]
    assert [one.key for one in node.below] == ["lille"]
    assert "Chief" in site.get(anna, "chart?by=entity").text
    assert site.get(anna, "chart?by=entity&of=nowhere").status_code == 404


def test_a_vcard_is_escaped_and_folded(site, anna):
    site.person("odd", name="Ödön Évêque; CEO", job_title="Ligne\\une, deux", email="o@example.org", site="S" * 190)
    text = site.get(anna, "people/odd/card.vcf").get_data()
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    whole = text.replace(b"\r\n ", b"").decode()
    assert "FN:Ödön Évêque\\; CEO\r\n" in whole
    assert "TITLE:Ligne\\\\une\\, deux\r\n" in whole
    assert whole.startswith("BEGIN:VCARD\r\nVERSION:4.0\r\n")
    assert exporting.signature(site.page(anna, "odd").card).startswith("Ödön Évêque; CEO\n")


def test_copying_the_directory_is_stopped_and_noted_once(site, anna):
    site.set(profiles_an_hour=10)
    for number in range(14):
        site.person(f"p{number}", name=f"Personne {number}")
    statuses = [site.get(anna, f"people/p{number}").status_code for number in range(14)]
    assert statuses == [200] * 10 + [429] * 4
    assert site.get(anna, "people/p3").status_code == 200
    assert site.get(anna, "people/p13/card.vcf").status_code == 429
    assert site.client(anna).get("/rse/api/v1/directory/people/p12").status_code == 429
    assert site.get(anna, "people/anna").status_code == 200
    with site.core.db.read() as session:
        assert len(entries(session, act="directory.too_many")) == 1


def test_who_has_left_is_named_with_a_badge_and_found_by_administrators_alone(site, anna, paul):
    with site.core.db.write() as session:
        people.disable(session, paul.id)
    site.core.jobs.run_due()
    page = site.get(anna, "people/paul")
    assert page.status_code == 200
    assert "Archiviste" not in page.text
    assert site.find(anna, "petit") == []
    assert site.find(anna, "petit", former=True) == []
    with site.core.db.write() as session:
        grant(session, anna.id, "site_admin", actor=Actor("test"))
    assert site.find(anna, "petit", former=True) == ["paul"]


def test_people_from_outside_stand_apart_and_see_only_who_is_in_their_spaces(site, anna, paul):
    room = make_space(site.core, "room", members=[paul])
    guest = site.person("guest", name="Guest", external=True, spaces=[room])
    assert site.find(guest) == ["paul"]
    assert site.find(anna, "guest", outside=True) == []
    assert site.find(paul, "guest", outside=True) == ["guest"]
    assert "guest" not in site.find(paul)


def test_an_import_is_followed_by_the_job(site, anna, paul):
    with site.core.db.write() as session:
        people.rename(session, paul.id, display_name="Paul Legrand")
        people.add(session, external_id="n", username="new", display_name="Nadia Neuve")
    assert site.find(anna, "legrand") == []
    with site.core.db.write() as session:
        indexing.follow(session)
    assert site.find(anna, "legrand") == ["paul"]
    assert site.find(anna, "neuve") == ["new"]
    with site.core.db.read() as session:
        assert indexing.behind(session) == []


def test_newcomers_and_birthdays(site, anna, paul):
    today = utcnow().date()
    site.edit(paul, birthday=(today.day, today.month))
    with site.core.db.read() as session:
        assert {one.card.username for one in arrivals.newcomers(session, anna.id)} == {"anna", "paul"}
        assert [card.username for card, _day, _month in arrivals.birthdays(session, anna.id)] == ["paul"]
    site.edit(paul, choices={"birthday": "nobody"})
    with site.core.db.read() as session:
        assert arrivals.birthdays(session, anna.id) == []


def test_completion_is_a_mean_and_not_told_of_few(site, anna):
    north = make_entity(site.core, "north")
    staff = [site.person(f"n{number}", entity=north) for number in range(4)]
    with site.core.db.read() as session:
        assert arrivals.rates(session, north.id) == []
    staff.append(site.person("n5", entity=north))
    for one in staff:
        site.edit(one, about="x", skills=["y"])
    with site.core.db.read() as session:
        assert [(one.people, one.rate) for one in arrivals.rates(session, north.id)] == [(5, 40)]
        with pytest.raises(Forbidden):
            arrivals.completion(session, anna.id, "north")


def test_a_profile_that_is_half_filled_in_is_told_once_and_counted_from_then_on(site, anna):
    core = site.core
    staff = [site.person(f"f{number}") for number in range(12)]
    with core.db.write() as session:
        indicators_roll.roll_up(session)
    for one in staff[:4]:
        site.edit(one, about="x", skills=["y"])
    for one in staff[:3]:
        site.edit(one, experience="z")
        site.edit(one, projects="z")
    while core.jobs.run_due():
        pass
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Fact)) == 3
    later = utcnow() + dt.timedelta(days=40)
    with time_machine.travel(later, tick=False), core.db.write() as session:
        indicators_roll.roll_up(session)
        day = later.date()
        found, everybody = (
            indicators_figures.ask(session, core, indicators_figures.Asked(name, day, day)).figures
            for name in ("directory.completion", "connection_rate")
        )
    assert [(one.numerator, one.denominator) for one in found] == [(3, everybody[0].denominator)]


def test_everything_of_a_person_is_exported_and_erased(open_site, anna, paul):
    site = open_site
    site.set(fields={"office": {"label": "Office"}})
    site.edit(paul, about="Moi", skills=["Python"], office="B12", choices={"about": "entity"}, birthday=(1, 2))
    with site.core.db.write() as session:
        skills.ask(session, paul.id, "anna", "Quoi ?")
        kinds = {one["kind"] for one in personal.export(session, paul.id)}
        assert kinds == {"profile", "field", "choice", "expertise", "asked"}
        assert personal.erase(session, paul.id) > 5
        assert list(personal.export(session, paul.id)) == []
    assert site.find(anna, "petit") == []


def test_the_form_saves_keeps_what_was_refused_and_nothing_runs(site, anna, paul):
    client = site.client(paul)
    page = client.get("/rse/directory/me").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "about": "<script>alert(1)</script>", "skills": "Python; Archives", "birth_day": "40",
            "birth_month": "1", "has_listed": "1", "listed": "1", "version": "0"}  # fmt: skip
    answer = client.post("/rse/directory/me", data=data)
    assert answer.status_code == 422
    assert "&lt;script&gt;alert(1)" in answer.text
    answer = client.post("/rse/directory/me", data=data | {"birth_day": "4"})
    assert answer.status_code == 303
    page = site.get(anna, "people/paul").text
    assert "<script>alert" not in page
    assert site.find(anna, skill="archives") == ["paul"]


def test_nobody_signed_in_sees_nothing(site, paul):
    client = site.app.test_client()
    for address in ("", "people/paul", "suggest?q=pa", "people/paul/card.vcf", "chart", "newcomers", "expertise", "me"):
        assert client.get(f"/rse/directory/{address}").status_code in (401, 302), address
    assert client.get("/rse/api/v1/directory/people").status_code == 401


def test_the_api_edits_ones_own_profile_and_pages_through_people(site, anna, paul):
    client = site.client(paul)
    token = client.get("/rse/directory/me").text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.patch(
        "/rse/api/v1/directory/me", json={"about": "Par l’API", "expertise": ["Rust"], "birthday": "--02-29"},
        headers={"X-RSE-CSRF": token},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json["birthday"] == "--02-29"
    first = client.get("/rse/api/v1/directory/people?limit=1").json
    rest = client.get("/rse/api/v1/directory/people", query_string={"limit": 1, "cursor": first["next"]}).json
    assert [one["username"] for one in first["items"] + rest["items"]] == ["anna", "paul"]
    assert client.get("/rse/api/v1/directory/people?cursor=bad").status_code == 422
    assert client.get("/rse/api/v1/directory/chart/people").json["nodes"] == []
    assert client.get("/rse/api/v1/directory/expertise?q=ru").json == [{"key": "rust", "label": "Rust"}]


def test_a_card_and_a_field_for_any_page(site, anna, paul):
    from rse_core.api import ObjectRef, Viewer
    from rse_directory.slots import items

    refs = [ObjectRef("directory.person", "@paul"), ObjectRef("directory.person", str(anna.id)), ObjectRef("page", "/x")]
    viewer = Viewer(anna.id, "fr")
    with site.app.test_request_context("/rse/directory/"), site.core.db.read() as session:
        assert [one.ref.id for one in items("directory-card", refs, viewer, session)] == ["@paul", str(anna.id)]
        assert len(items("directory-search", refs, viewer, session)) == 3
        assert items("directory-card", refs, Viewer(None, "fr"), session) == []


def test_search_everywhere_holds_only_what_everybody_is_shown(site, anna, paul):
    with site.core.db.read() as session:
        (found,) = objects.documents(session, [indexing.ref_of(paul.id)])
        assert (found.title, found.body) == ("Paul Petit", "Archiviste")
    site.set(fields={"job_title": {"audience": "managers", "imposed": True}})
    with site.core.db.read() as session:
        assert [one.body for one in objects.documents(session, [indexing.ref_of(paul.id)])] == [""]
    site.edit(paul, listed=False)
    with site.core.db.read() as session:
        assert list(objects.documents(session, [indexing.ref_of(paul.id)])) == []


def test_only_administrators_of_an_entity_take_its_list(site, anna, paul):
    north = make_entity(site.core, "north")
    site.person("nina", name="Nina", entity=north)
    with site.core.db.write() as session:
        grant(session, anna.id, "entity_admin", scope="entity", scope_id=north.id, actor=Actor("test"))
    with site.core.db.write() as session:
        assert "Nina" in exporting.csv_file(session, anna.id, Asked(entity="north"))
        with pytest.raises(Forbidden):
            exporting.csv_file(session, anna.id, Asked())
