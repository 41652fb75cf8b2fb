"""Steps of tours, tutorials and participation, as plugins hand them in; and what stands above our own pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Blueprint
from sqlalchemy import select

from rse_core.api import (
    Capability,
    Level,
    Manifest,
    Participation,
    Plugin,
    PluginError,
    SlotItem,
    TourStep,
    Tutorial,
    hookimpl,
    use_locale,
)
from rse_core.extension import create_app
from rse_core.models.organisation import Person
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person


class Kudos(Plugin):
    manifest = Manifest(name="kudos", label="Kudos")

    def __init__(self, step=None, tutorial=None, part=None):
        self.given = [[step] if step else [], [tutorial] if tutorial else [], [part] if part else []]

    @hookimpl
    def rse_capabilities(self):
        return [Capability("kudos.give", "Give kudos", Level.REACT)]

    @hookimpl
    def rse_blueprints(self):
        blueprint = Blueprint("rse_kudos", __name__, url_prefix="/kudos")
        blueprint.add_url_rule("/", "index", lambda: "")
        return [blueprint]

    @hookimpl
    def rse_tour_steps(self):
        return self.given[0]

    @hookimpl
    def rse_tutorials(self):
        return self.given[1]

    @hookimpl
    def rse_participation(self):
        return self.given[2]


@pytest.fixture
def folder(tmp_path):
    for lang in ("fr", "en"):
        (tmp_path / f"first.{lang}.md").write_text("# Title\n\nText", encoding="utf-8")
    return tmp_path


def step(**values):
    return TourStep(**{"key": "kudos.step", "capability": "kudos.give", "title": "t", "text": "x", **values})


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_what_is_right_is_taken(rse_core, folder):
    tutorial = Tutorial("kudos.first", Level.REACT, folder)
    part = Participation("kudos.given", "gave kudos", lambda _session: select(Person.id))
    core = rse_core([Kudos(step(endpoint="rse_kudos.index"), tutorial, part)])
    assert [one.key for _plugin, one in core.plugins.contributions(TourStep)] == ["kudos.step"]
    assert [one.file("fr").name for _plugin, one in core.plugins.contributions(Tutorial)] == ["first.fr.md"]
    assert len(core.plugins.contributions(Participation)) == 1
    rse_core([Kudos(step(capability="", level=Level.COMMENT))])


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"key": "other.step"}, "namespace"),
        ({"capability": "likes.react"}, "no capability of its own"),
        ({"capability": ""}, "no capability of its own"),
        ({"capability": "", "level": Level.INFORM}, "no capability of its own"),
        ({"level": Level.REACT}, "no capability of its own"),
        ({"endpoint": "rse_kudos.nowhere"}, "no endpoint of its blueprints"),
    ],
)
def test_a_step_that_leads_nowhere_is_refused_at_start(rse_core, values, said):
    with use_locale("en"), pytest.raises(PluginError, match=said):
        rse_core([Kudos(step(**values))])


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_a_tutorial_without_both_languages_or_for_inform_is_refused(rse_core, folder):
    for wrong in (Tutorial("kudos.second", Level.REACT, folder), Tutorial("kudos.first", Level.INFORM, folder)):
        with use_locale("en"), pytest.raises(PluginError, match="without all that it needs"):
            rse_core([Kudos(tutorial=wrong)])
    (Path(folder) / "first.en.md").unlink()
    with use_locale("en"), pytest.raises(PluginError, match="without all that it needs"):
        rse_core([Kudos(tutorial=Tutorial("kudos.first", Level.REACT, folder))])


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_a_participation_that_cannot_be_called_is_refused(rse_core):
    with pytest.raises(PluginError, match="people"):
        rse_core([Kudos(part=Participation("kudos.given", "gave", None))])


class Top(Plugin):
    manifest = Manifest(name="top", label="Top")

    def __init__(self, fails=False):
        self.fails, self.asked = fails, []

    @hookimpl
    def rse_slot_items(self, slot, refs, viewer):
        self.asked.append((slot, [str(ref) for ref in refs], viewer.params.get("step"), viewer.embed))
        if self.fails:
            raise RuntimeError("no")
        return [SlotItem(refs[0], "<p>Above everything</p>")] if slot == "top" else []


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_the_slot_top_stands_above_each_page_of_ours(rse_core):
    plugin = Top()
    core = rse_core([plugin])
    anna = make_person(core, "anna")
    app = create_app(core)
    page = as_person(app.test_client(), anna).get("/rse/me/?slot.top.step=x").text
    assert page.index("Above everything") < page.index("<h1>")
    assert plugin.asked == [("top", ["page:/rse/me/"], "x", False)]
    assert "Above everything" not in app.test_client().get("/rse/").text, "nobody is told anything before they are known"


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_a_plugin_that_fails_there_leaves_the_page_whole(rse_core):
    core = rse_core([Top(fails=True)], strict=False)
    client = as_person(create_app(core).test_client(), make_person(core, "anna"))
    assert client.get("/rse/me/").status_code == 200
    assert client.get("/rse/nothing").status_code == 404
