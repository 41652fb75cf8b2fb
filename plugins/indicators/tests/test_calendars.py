"""Calendars of entities: set by who administers them, shown before they are kept, and counted by at once."""

from __future__ import annotations

import datetime as dt
import io
import json
import re

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rse_core import indicators_cells, indicators_counting
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.indicators_figures import Asked, ask
from rse_core.indicators_frame import frame
from rse_core.indicators_measures import Asked as Post
from rse_core.models.governance import Audit
from rse_core.models.indicators import Pseudonym
from rse_core.testing import count_queries
from rse_indicators import calendars

ME, JANUARY = Actor("boss"), (dt.date(2026, 1, 1), dt.date(2026, 1, 31))
ICS = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{day}\nSUMMARY:{name}\nEND:VEVENT\nEND:VCALENDAR\n"
HEADERS = {"Origin": "http://localhost"}


def keep(site, key, public="none", days=(), *, person=None, **more):
    with site.core.db.write() as session:
        ident = None if person is None else person.id
        return calendars.keep(session, ident, key, public, dict.fromkeys(days, "closed"), actor=ME, **more)


def habit(site, key):
    with site.core.db.read() as session:
        answer = ask(session, site.core, Asked("habit", *JANUARY, "entity"))
    one = next(figure for figure in answer.figures if figure.target == str(site.entities[key].id))
    return None if one.suppressed else (one.numerator, one.denominator)


def finish(site):
    while site.core.jobs.run_due():
        pass


def test_the_habit_of_an_entity_follows_its_calendar(site):
    before = {key: habit(site, key) for key in ("north", "south")}
    # Of the twenty-two working days of January somebody came on the ninth, the twelfth and the twentieth; 26 of the 40 each.
    assert before["north"] == (78, 43 * 22)
    keep(site, "north", days=[dt.date(2026, 1, 9), dt.date(2026, 1, 12), dt.date(2026, 1, 10)])
    assert (habit(site, "north"), habit(site, "south")) == ((26, 43 * 20), before["south"])
    finish(site)
    assert (habit(site, "north"), habit(site, "south")) == ((26, 43 * 20), before["south"])
    with site.core.db.write() as session:
        calendars.remove(session, None, "north", actor=ME)
    assert habit(site, "north") == before["north"]
    finish(site)
    with site.core.db.read() as session:
        assert indicators_cells.unfinished(session, site.core) == []
    assert habit(site, "north") == before["north"]


def test_the_nearest_calendar_decides_alone(site):
    keep(site, "head", days=[dt.date(2026, 1, 12)])
    assert habit(site, "north")[1] == 43 * 21
    found = keep(site, "north", days=[dt.date(2026, 1, 20), dt.date(2026, 1, 21)])
    assert (found.entities, found.apart) == (1, ())
    assert habit(site, "north")[1] == 43 * 20
    found = keep(site, "head", public="fr")
    assert (found.entities, found.apart) == (4, ("North",))
    assert habit(site, "north")[1] == 43 * 20


def test_answers_wait_for_working_days_of_the_writers_entity(site):
    friday, monday = (dt.datetime(2026, 1, day, 16, tzinfo=dt.UTC) for day in (9, 12))

    def hours():
        with site.core.db.read() as session:
            people = frame(session, site.core, dt.date(2026, 1, 31))
            who = {key: session.get(Pseudonym, site.people[key][0]).who for key in ("north", "south")}
            asked = [Post(one, friday, monday) for one in who.values()]
            found = indicators_counting._hours(session, site.core, people, asked)
            return {key: found[one][0] for key, one in who.items()}

    assert hours() == {"north": 24, "south": 24}
    keep(site, "north", days=[dt.date(2026, 1, 12)])
    assert hours()["south"] == 24
    assert 0 < hours()["north"] < 9


def test_a_preview_says_which_days_change_and_changes_nothing(site):
    with site.core.db.read() as session:
        found = calendars.preview(session, None, "head", "fr-alsace-moselle", {dt.date(2026, 5, 15): "Bridge"})
        assert {dt.date(2026, 4, 3), dt.date(2026, 5, 15), dt.date(2027, 3, 26)} <= set(found.closed)
        # A Saturday is no working day before, either.
        assert dt.date(2026, 12, 26) not in found.closed
        assert (found.opened, found.entities, found.apart, found.months) == ((), 5, (), 2)
        assert [one.entity for one in calendars.all_of(session, site.core)] == [""]
    keep(site, "head", public="fr-alsace-moselle")
    with site.core.db.read() as session:
        found = calendars.preview(session, None, "head", "fr", {})
    assert (found.closed, dt.date(2026, 4, 3) in found.opened) == ((), True)


def test_who_may_what(site):
    keep(site, "south", public="fr")
    assert keep(site, "north", days=[dt.date(2026, 1, 9)], person=site.northerner).shown.entity == "north"
    for key in ("south", "head"):
        with pytest.raises(Forbidden, match="do not administer"):
            keep(site, key, person=site.northerner)
    for person in (site.animator, site.manager, site.clerk):
        with pytest.raises(Forbidden):
            keep(site, "north", person=person)
        with site.core.db.read() as session, pytest.raises(Forbidden):
            calendars.listing(session, site.core, person.id)
    with pytest.raises(NotFound, match="no entity “nowhere”"):
        keep(site, "nowhere", person=site.boss)
    with site.core.db.read() as session:
        assert [one.entity for one in calendars.listing(session, site.core, site.northerner.id)] == ["", "north"]
        assert [one.entity for one in calendars.listing(session, site.core, site.boss.id)] == ["", "north", "south"]
        assert [key for key, _name in calendars.entities(session, site.core, site.northerner.id)] == ["north"]
        log = session.scalars(select(Audit).where(Audit.act == "indicators.calendar").order_by(Audit.id)).all()
    assert [(row.subject, row.after["public"]) for row in log] == [("entity:south", "fr"), ("entity:north", "none")]


def test_listing_costs_the_same_for_every_number_of_calendars(site):
    keep(site, "north", days=[dt.date(2026, 1, 9)])

    def cost():
        with site.core.db.read() as session, count_queries(site.core) as queries:
            calendars.listing(session, site.core, site.boss.id)
        return len(queries)

    one = cost()
    for key in ("south", "east", "west", "head"):
        keep(site, key, days=[dt.date(2026, 1, 9)])
    assert cost() == one


def test_what_makes_no_sense_is_refused_and_a_change_meanwhile_is_a_conflict(site):
    with pytest.raises(BadInput, match="“us” is no calendar"):
        keep(site, "north", public="us")
    with pytest.raises(BadInput, match="between 2000 and 2100"):
        keep(site, "north", days=[dt.date(1999, 1, 1)])
    keep(site, "north", version="")
    with pytest.raises(Conflict, match="changed meanwhile"):
        keep(site, "north", version="")
    with site.core.db.write() as session, pytest.raises(NotFound, match="no calendar of its own"):
        calendars.remove(session, None, "south", actor=ME)


@pytest.mark.parametrize(
    ("text", "words"),
    [("soon x", "line 1: “soon” is not a date"), ("2026-01-01 a\n\n2026-01-01", "line 3: 2026-01-01 stands there twice"),
     ("20260101", "not a date"), ("1999-01-01", "not a date")],
)  # fmt: skip
def test_a_typed_day_that_is_none_is_named_with_its_line(text, words):
    with pytest.raises(BadInput) as refused:
        calendars.lines(text)
    assert words in str(refused.value)
    assert calendars.lines("2026-05-15  Le pont\n\n") == {dt.date(2026, 5, 15): "Le pont"}


def form(html):
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in ("csrf_token", "entity", "version")}


def test_the_page_reads_a_file_shows_what_it_changes_and_keeps_it(site, look, rse_client):
    address = "/rse/indicators/calendars/edit"
    assert "No entity has a calendar of its own" in look(site.northerner, "/rse/indicators/calendars/").text
    typed = form(look(site.northerner, f"{address}?entity=north").text)
    file = (io.BytesIO(ICS.format(day="20260112", name="Fête").encode()), "days.ics")
    more = {"public": "none", "days": "2026-01-09 Closed", "act": "preview", "ics": file}
    seen = rse_client.post(address, data={**typed, **more}, headers=HEADERS)
    assert seen.status_code == 200
    assert "1 day was read from the file" in seen.text
    assert "No longer working days" in seen.text
    days = re.search(r'<textarea[^>]*id="days"[^>]*>([^<]*)</textarea>', seen.text)[1]
    assert days == "2026-01-09 Closed\n2026-01-12 Fête"
    assert "No entity has" in rse_client.get("/rse/indicators/calendars/").text
    kept = rse_client.post(address, data={**form(seen.text), "public": "none", "days": days, "act": "keep"}, headers=HEADERS)
    assert kept.status_code == 303
    assert "Fête" in rse_client.get("/rse/indicators/calendars/").text
    stale = rse_client.post(address, data={**typed, "public": "fr", "days": days, "act": "keep"}, headers=HEADERS)
    assert (stale.status_code, "changed meanwhile" in stale.text) == (409, True)
    assert rse_client.post(address, data={**typed, "act": "remove"}, headers=HEADERS).status_code == 303
    assert "No entity has" in rse_client.get("/rse/indicators/calendars/").text


def test_the_page_keeps_what_was_typed_and_refuses_others(site, look, rse_client):
    address = "/rse/indicators/calendars/edit"
    typed = form(look(site.northerner, f"{address}?entity=north").text)
    bad = {"public": "fr", "days": "soon", "act": "preview"}
    answer = rse_client.post(address, data={**typed, **bad}, headers=HEADERS)
    assert (answer.status_code, "“soon” is not a date" in answer.text) == (422, True)
    assert re.search(r'id="days"[^>]*>soon<', answer.text)
    assert re.search(r'value="fr" selected', answer.text)
    file = (io.BytesIO(b"\xff\xfe"), "days.ics")
    answer = rse_client.post(address, data={**typed, **bad, "days": "", "ics": file}, headers=HEADERS)
    assert (answer.status_code, "not in UTF-8" in answer.text) == (422, True)
    assert rse_client.post(address, data={"entity": "north", "act": "keep"}, headers=HEADERS).status_code == 403
    other = {**typed, "entity": "south", "public": "fr", "days": "", "act": "keep"}
    assert rse_client.post(address, data=other, headers=HEADERS).status_code == 403
    assert rse_client.get(f"{address}?entity=south").status_code == 403
    assert look(site.boss, f"{address}?entity=nowhere").status_code == 404
    assert look(site.animator, "/rse/indicators/calendars/").status_code == 403


def test_by_rest(site, look, rse_client):
    page = look(site.northerner, "/rse/indicators/calendars/edit?entity=north").text
    headers = {"X-RSE-CSRF": form(page)["csrf_token"]}
    base = "/rse/api/v1/indicators/calendars"
    assert [one["entity"] for one in rse_client.get(base).get_json()] == [""]
    body = {"public": "fr", "days": [{"day": "2026-01-09", "name": "x"}], "ics": ICS.format(day="20260112", name="Fête")}
    seen = rse_client.put(f"{base}/north", json={**body, "dry_run": True}, headers=headers)
    assert (seen.status_code, seen.get_json()["entities"]) == (200, 1)
    assert {"2026-01-09", "2026-01-12", "2026-05-01"} <= set(seen.get_json()["closed"])
    assert rse_client.get(f"{base}/north").get_json()["days"] == []
    kept = rse_client.put(f"{base}/north", json={**body, "version": ""}, headers=headers)
    assert [one["day"] for one in kept.get_json()["calendar"]["days"]] == ["2026-01-09", "2026-01-12"]
    assert rse_client.put(f"{base}/north", json={**body, "version": ""}, headers=headers).status_code == 409
    assert rse_client.put(f"{base}/north", json={"public": "us"}, headers=headers).status_code == 422
    assert rse_client.put(f"{base}/north", json={"ics": "x"}, headers=headers).status_code == 422
    assert rse_client.put(f"{base}/north", json=body).status_code == 403
    assert rse_client.put(f"{base}/south", json=body, headers=headers).status_code == 403
    assert look(site.boss, "/rse/indicators/").status_code == 200
    assert rse_client.get(f"{base}/nowhere").status_code == 404
    headers = {"X-RSE-CSRF": form(look(site.northerner, "/rse/indicators/calendars/edit?entity=north").text)["csrf_token"]}
    assert rse_client.delete(f"{base}/north", headers=headers).status_code == 204
    assert rse_client.delete(f"{base}/north", headers=headers).status_code == 404


def test_from_the_shell(site, tmp_path):
    def rse(*args):
        return CliRunner().invoke(cli, ["indicators", "calendar", *args], obj=State(lambda: site.core), env={"LC_ALL": "en"})

    file = tmp_path / "days.ics"
    file.write_text(ICS.format(day="20260112", name="Fête"), encoding="utf-8")
    first = ("set", "north", "--public", "fr", "--day", "2026-01-09", "--ics", str(file))
    seen = rse(*first, "--dry-run", "--json")
    assert seen.exit_code == 0, seen.output
    told = json.loads(seen.stdout)
    assert (told["kept"], told["entities"]) == (False, 1)
    assert {"2026-01-09", "2026-01-12"} <= set(told["closed"])
    assert rse(*first).exit_code == 0
    listed = json.loads(rse("list", "--json").stdout)
    assert listed[1]["days"] == {"2026-01-09": "", "2026-01-12": "Fête"}
    file.write_text(ICS.replace("SUMMARY", "RRULE:FREQ=YEARLY\nSUMMARY").format(day="20260112", name="F"), encoding="utf-8")
    refused = rse(*first)
    assert refused.exit_code == 1
    assert "repeats (RRULE)" in str(refused.exception) + refused.output
    assert rse("remove", "north").exit_code == 0
    again = rse("remove", "north")
    assert again.exit_code == 1
    assert "no calendar of its own" in str(again.exception) + again.output
