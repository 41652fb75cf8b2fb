"""Surveys on habit: taken over whole or not at all, and shown only where many have answered."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import func, select

from rse_core.api import Actor, BadInput
from rse_core.indicators_figures import Asked, ask
from rse_indicators import survey
from rse_indicators.models import Survey

HEAD = "date,entity,respondents,daily\n"
ME = Actor("boss")


def load(core, *lines):
    with core.db.write() as session:
        return survey.load(session, HEAD + "\n".join(lines) + "\n", actor=ME)


def habit(site, key):
    with site.core.db.read() as session:
        answer = ask(session, site.core, Asked("habit", dt.date(2026, 2, 1), dt.date(2026, 2, 28), "entity"))
    entity = site.head if key == "head" else site.entities[key]
    return 100 * next(figure.rate for figure in answer.figures if figure.target == str(entity.id))


def test_beside_the_answers_stands_nothing_that_may_not_be_shown(site):
    load(site.core, "2026-02-15,north,30,12", "2026-02-15,east,11,5", "2024-01-10,,60,20")
    with site.core.db.read() as session:
        answers = survey.shown(session)
        found = survey.measured(session, site.core, answers)
    assert {row.name for row in answers if not row.suppressed} == {"North", "East", "the whole site"}
    # East is too small beside the others to be measured alone, and of 2024 nothing is known.
    assert set(found) == {(dt.date(2026, 2, 15), site.entities["north"].id)}


def shown(core):
    with core.db.read() as session:
        return {row.name: (row.daily, row.respondents) for row in survey.shown(session)}


def test_the_answers_stand_beside_what_was_measured(site, look):
    load(site.core, "2026-02-15,,60,21", "2026-02-15,north,30,12", "2026-02-15,south,20,5")
    html = " ".join(look(site.boss, "/rse/indicators/habit/").get_data(as_text=True).split())
    assert "By their own account" in html
    # Twelve of thirty say daily; measured in February: 78 of 43 people times 20 working days.
    own = r'<th scope="row">North</th><td class="rse-num">12</td><td class="rse-num">30</td><td class="rse-num">40.0 %</td>'
    found = re.search(own + r'<td class="rse-num">([0-9.]+) %</td>', html)
    assert found
    assert found[1] == f"{habit(site, 'north'):.1f}"
    assert f'{habit(site, "head"):.1f} %</td></tr>' in html
    again = " ".join(look(site.boss, "/rse/indicators/survey/").get_data(as_text=True).split())
    assert re.search(own, again)
    html = " ".join(look(site.northerner, "/rse/indicators/habit/").get_data(as_text=True).split())
    assert "North</th>" in html
    assert "South</th>" not in html


def test_a_place_of_under_ten_answers_is_not_shown_nor_follows_from_the_total(site):
    load(site.core, "2026-02-15,,60,21", "2026-02-15,north,30,12", "2026-02-15,south,23,5", "2026-02-15,east,7,1")
    # The site less the north and the south would be the seven of the east.
    assert shown(site.core) == {"the whole site": (21, 60), "North": (12, 30), "South": (None, None), "East": (None, None)}
    load(site.core, "2026-02-15,,9,5")
    assert shown(site.core) == {"the whole site": (None, None)}


def test_a_survey_of_the_same_date_replaces_the_one_before(site):
    load(site.core, "2026-02-15,north,30,12", "2026-02-15,south,20,5")
    load(site.core, "2026-02-15,north,31,13")
    assert shown(site.core) == {"North": (13, 31)}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("soon,north,30,12", "line 2: “soon” is not a date."), ("2026-02-15,nowhere,30,12", "there is no entity “nowhere”"),
        ("2026-02-15,north,30,31", "more people come daily than have answered"),
        ("2026-02-15,north,many,1", "the numbers are none"),
        ("2026-02-15,north,-1,-1", "line 2: more people come daily"),
        ("2026-02-15,head,80,1", "line 3: the entity stands below that of line 2"),
        ("2026-02-15,,29,1", "line 2: the entities are more than the whole site"),
        ("2026-02-15,south,1,1\n\n2026-02-15,south,1,1", "line 4: this place stands there twice, first on line 2"),
        ("2026-02-15,south", "line 2: the numbers are none"),
        ('2026-02-15,south,1,"' + "1" * 200_000, "line 2: it is no CSV"),
    ],
)  # fmt: skip
def test_each_fault_is_named_and_nothing_is_taken_over(site, line, words):
    with pytest.raises(BadInput, match=re.escape(words)):
        load(site.core, line, "2026-02-15,north,30,12" if "north" not in line else "2026-02-15,south,30,12")
    with site.core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Survey)) == 0


def test_a_file_without_its_columns_or_without_a_line_is_refused(site):
    bad = (("a,b\n1,2\n", "no column “date”"), (HEAD, "cannot be used"), ("", "no column"), ("x" * 3_000_000, "longer"))
    for text, words in bad:
        with pytest.raises(BadInput, match=words), site.core.db.write() as session:
            survey.load(session, text, actor=ME)


def test_the_form_keeps_what_was_pasted_and_is_for_site_administrators(site, look, rse_client):
    html = look(site.boss, "/rse/indicators/survey/").get_data(as_text=True)
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)[1]
    headers = {"Origin": "http://localhost"}
    bad = rse_client.post("/rse/indicators/survey/", data={"csrf_token": token, "text": HEAD + "x,y,1,1"}, headers=headers)
    assert bad.status_code == 422
    assert "x,y,1,1" in bad.get_data(as_text=True)
    good = {"csrf_token": token, "text": HEAD + "2026-02-15,,60,20"}
    assert rse_client.post("/rse/indicators/survey/", data=good, headers=headers).status_code == 303
    assert rse_client.post("/rse/indicators/survey/", data={"text": "x"}, headers=headers).status_code == 403
    look(site.northerner, "/rse/indicators/openings/")
    assert rse_client.post("/rse/indicators/survey/", data=good, headers=headers).status_code == 403
