"""The pages, the files and the resources: who sees what, and that nothing of too few people is in any of them."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pytest
from sqlalchemy import select

from rse_core import indicators_roll
from rse_core.db import utcnow
from rse_core.models.rollout import RolloutWave
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_space

HERE = "/rse/indicators/"
API = "/rse/api/v1/indicators"
FEBRUARY = "from=2026-02-01&to=2026-02-28"


def text(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)[:400]
    return " ".join(answer.get_data(as_text=True).split())


def rows(html):
    """The rows of the first table of numbers: name → cells."""
    body = html.split('id="table"')[1].split("<tbody>")[1].split("</tbody>")[0]
    found = {}
    for row in body.split("</tr>"):
        if name := re.search(r'<th scope="row">(.*?)</th>', row):
            found[name[1]] = re.findall(r"<td[^>]*>(.*?)</td>", row)
    return found


def test_the_overview_of_the_site_has_every_indicator_and_no_figure_of_too_few(site, look):
    html = text(look(site.boss, HERE))
    for label in ("Connection rate", "Engagement rate", "Wider contribution rate", "Measured habit", "Active communities"):
        assert label in html
    assert "20 of 93" in html
    assert html.count("<svg") >= 4


def test_one_indicator_by_entity_leaves_out_the_small_and_what_would_betray_it(site, look):
    found = rows(text(look(site.boss, f"{HERE}engagement_rate/?by=entity&{FEBRUARY}")))
    assert found["North"] == ["15", "43", "34.9 %"]
    assert found["South"] == ["5", "31", "16.1 %"]
    assert found["Head office"] == ["20", "93", "21.5 %"]
    assert (found["West"], found["East"]) == (["too few people to be shown"], ["too few people to be shown"])


def test_the_definition_is_a_click_away_with_window_numerator_denominator_and_source(site, look):
    html = text(look(site.boss, f"{HERE}engagement_rate/?{FEBRUARY}"))
    assert "<summary>What this counts</summary>" in html
    for word in ("Numerator", "Denominator", "Window", "People of", "Source", "likes.reacted, comments.published"):
        assert word in html, word
    assert re.search("the end of .*31.*2026", html)


@pytest.mark.parametrize("name", ["connection_rate", "engagement_rate", "habit", "contribution_rate", "answer_time"])
@pytest.mark.parametrize("by", ["site", "entity", "wave", "level", "group"])
def test_every_indicator_is_to_be_had_in_every_way(site, look, name, by):
    answer = look(site.boss, f"{HERE}{name}/?by={by}&{FEBRUARY}")
    assert answer.status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1999-12-31", "2026-02-30", "soon", "%00", "x" * 3_000])
def test_a_period_that_cannot_be_is_told_and_not_an_error(site, look, day):
    for query in (f"from={day}", f"to={day}", f"from={day}&to={day}"):
        page = look(site.boss, f"{HERE}connection_rate/?{query}")
        assert (page.status_code, "is not a date." in page.get_data(as_text=True)) == (200, True)
        assert look(site.boss, f"{HERE}connection_rate/export.csv?{query}").status_code == 422
        assert look(site.boss, f"{API}/connection_rate?{query}").status_code == 422


def test_figures_by_wave_say_of_which_it_is_too_early_for_a_verdict(site, look):
    html = text(look(site.boss, f"{HERE}engagement_rate/?by=wave&{FEBRUARY}"))
    with site.core.db.read() as session:
        waves = session.execute(select(RolloutWave.name, RolloutWave.opened_at).where(RolloutWave.state != "gone")).all()
    young = [name for name, opened in waves if opened is not None and opened <= utcnow()]
    assert [f"{name}: Too early for a verdict" in html for name in young] == [True] * len(young)
    assert html.count("Too early for a verdict") == len(young) > 0
    assert "Too early" not in text(look(site.boss, f"{HERE}engagement_rate/?by=entity&{FEBRUARY}"))


def test_managers_and_others_are_told_apart_where_both_are_many(site, look):
    managers = rows(text(look(site.boss, f"{HERE}engagement_rate/?by=entity&people=managers&{FEBRUARY}")))
    others = rows(text(look(site.boss, f"{HERE}engagement_rate/?by=entity&people=others&{FEBRUARY}")))
    assert (managers["North"], others["North"]) == (["12", "13", "92.3 %"], ["3", "30", "10.0 %"])


def test_an_administrator_of_an_entity_sees_their_branch_alone(site, look):
    found = rows(text(look(site.northerner, f"{HERE}engagement_rate/?{FEBRUARY}")))
    assert list(found) == ["North"]
    for by in ("site", "wave", "level", "group"):
        assert look(site.northerner, f"{HERE}engagement_rate/?by={by}").status_code == 403
        assert look(site.northerner, f"{API}/engagement_rate?by={by}").status_code == 403
        assert look(site.northerner, f"{HERE}engagement_rate/export.csv?by={by}").status_code == 403
    assert look(site.northerner, HERE + "survey/").status_code == 403
    assert text(look(site.northerner, HERE))


def test_who_runs_a_space_sees_that_space_alone(site, look):
    html = text(look(site.animator, HERE + "mine/"))
    assert '<th scope="row">Garden</th><td class="rse-num">5</td><td class="rse-num">15</td>' in html
    assert "Plot" not in html
    assert look(site.animator, HERE).status_code == 403
    assert list(rows(text(look(site.animator, f"{HERE}engagement_rate/?by=space&{FEBRUARY}")))) == ["Garden"]
    assert look(site.animator, f"{HERE}engagement_rate/?by=entity").status_code == 403


def test_a_space_has_its_figures_among_its_own_pages_for_who_runs_it(site, look):
    html = text(look(site.animator, HERE + "space/garden/"))
    assert ">Engagement rate</a></th><td class=\"rse-num\">5</td><td class=\"rse-num\">15</td>" in html
    assert "Documents opened" in html
    assert "Connection rate" not in html
    for stranger in (site.boss, site.clerk):
        assert look(stranger, HERE + "space/garden/").status_code == 404
        assert look(stranger, HERE + "space/plot/").status_code == 404
    assert look(site.animator, HERE + "space/nothing/").status_code == 404


def test_under_ten_members_a_space_shows_nothing(site, look):
    make_space(site.core, "few", name="Few", members=[site.clerk], managers=[site.animator])
    with site.core.db.write() as session:
        indicators_roll.roll_up(session)
    site.clock.move_to(dt.datetime(2026, 5, 2, 12, tzinfo=dt.UTC))
    html = text(look(site.animator, HERE + "space/few/"))
    assert "too few people to be shown" in html
    assert 'class="rse-num">' not in html.split("<tbody>")[1].split("</tbody>")[0]


def test_a_site_administrator_does_not_hear_of_a_secret_space(site, look):
    html = text(look(site.boss, f"{HERE}engagement_rate/?by=space&{FEBRUARY}"))
    assert list(rows(html)) == ["Garden"]
    assert "plot" not in look(site.boss, f"{API}/engagement_rate?by=space&{FEBRUARY}").get_data(as_text=True)


def test_a_manager_sees_counts_of_their_wave_with_what_to_do_next(site, look):
    html = text(look(site.manager, HERE + "mine/"))
    assert "The wave “pilot”" in html
    assert '<th scope="row">Engagement rate</th><td class="rse-num">15</td><td class="rse-num">28</td>' in html
    # All have come but a few: how few is not told.
    assert '<th scope="row">Connection rate</th><td colspan="2">fewer than ten have not yet</td>' in html
    assert "a webinar of half an hour" in html
    assert look(site.manager, HERE).status_code == 403
    assert look(site.manager, f"{HERE}engagement_rate/?by=wave").status_code == 403


def test_everybody_else_sees_nothing_and_has_no_entry(site, look):
    for path in (HERE, HERE + "mine/", HERE + "engagement_rate/", HERE + "openings/", API, API + "/engagement_rate"):
        assert look(site.clerk, path).status_code == 403, path
    assert "/rse/indicators/mine/" not in text(look(site.clerk, "/rse/me/"))
    assert "/rse/indicators/mine/" in text(look(site.manager, "/rse/me/"))
    assert 'href="/rse/indicators/"' in text(look(site.boss, "/rse/admin/"))


def test_the_files_hold_what_the_table_shows_and_no_more(site, look):
    address = f"{HERE}engagement_rate/export.%s?by=entity&{FEBRUARY}"
    answer = look(site.boss, address % "csv")
    lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0].split(",")[-5:] == ["name", "numerator", "denominator", "rate", "suppressed"]
    assert "engagement_rate,entity,2026-02-01,2026-02-28,all,north,North,15,43,0.348837,false" in lines
    assert "engagement_rate,entity,2026-02-01,2026-02-28,all,west,West,,,,true" in lines
    book = zipfile.ZipFile(io.BytesIO(look(site.boss, address % "xlsx").data))
    assert "xl/worksheets/sheet2.xml" in book.namelist()
    assert "People with at least one reaction" in book.read("xl/sharedStrings.xml").decode()
    assert look(site.boss, address % "exe").status_code == 404


def test_the_resource_gives_the_same_with_the_definition(site, look):
    found = look(site.boss, f"{API}/engagement_rate?by=entity&{FEBRUARY}").get_json()
    assert (found["indicator"]["name"], found["as_of"], found["from"]) == ("engagement_rate", "2026-01-31", "2026-02-01")
    figures = {row["key"]: row for row in found["figures"]}
    assert (figures["north"]["numerator"], figures["north"]["denominator"]) == (15, 43)
    assert figures["west"] == {
        "key": "west", "name": "West", "numerator": None, "denominator": None, "rate": None, "suppressed": True,
    }  # fmt: skip
    assert {one["name"] for one in look(site.boss, API).get_json()} >= {"connection_rate", "habit", "charter_acceptance"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("by=nothing", 422), ("people=nobody", 422), ("from=soon", 422), ("from=2026-02-01&to=2026-01-01", 422),
        ("from=1900-01-01&to=2026-01-01", 422), ("by=level&people=managers", 422), ("by=space", 422),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused_with_what_does(site, look, query, status):
    answer = look(site.boss, f"{API}/connection_rate?{query}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert look(site.boss, f"{HERE}connection_rate/?{query}").status_code in (200, status)


def test_an_indicator_that_is_not_there_names_the_nearest(site, look):
    answer = look(site.boss, API + "/engagment_rate")
    assert answer.status_code == 404
    assert "engagement_rate" in answer.get_json()["remedy"]


def test_before_and_after_an_opening_stand_side_by_side_with_the_guard(site, look):
    html = text(look(site.boss, HERE + "openings/"))
    assert re.search("pilot: contribute, .*20.*2026", html)
    assert "Too early for a verdict: open for 5 full weeks." in html
    html = text(look(site.northerner, HERE + "openings/"))
    assert "North: contribute" in html
    assert "pilot" not in html


def test_a_month_by_entity_costs_the_same_for_few_and_for_many(site, look, core):
    look(site.boss, f"{HERE}engagement_rate/?by=entity&{FEBRUARY}")
    with count_queries(core) as queries:
        look(site.boss, f"{HERE}engagement_rate/?by=entity&{FEBRUARY}")
    assert len(queries) <= 25, queries


def test_before_anything_was_counted_the_pages_say_so(core, rse_client, as_person, clock):
    from rse_core import roles
    from rse_core.api import Actor
    from rse_core.testing.organisation import make_person

    boss = make_person(core, "boss", locale="en")
    with core.db.write() as session:
        roles.grant(session, boss.id, "site_admin", actor=Actor("test"))
    as_person(rse_client, boss)
    assert "Nothing is known yet." in text(rse_client.get(HERE))
    assert "Nothing is known of that time" in text(rse_client.get(HERE + "habit/"))
    assert "No level has opened yet." in text(rse_client.get(HERE + "openings/"))
