"""``rse content``: read now, see how the sources do, try them out."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from rse_core.api import LegacySource, Manifest, Plugin, Publication, RseError, hookimpl
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.models.content import Page


class Press(Plugin):
    """One source that works and one that does not."""

    manifest = Manifest(name="press", label="Press")

    def good(self, state):
        yield Publication("/a", "Le télétravail", audience="everyone")
        yield Publication("https://elsewhere.test/b", "Ailleurs", audience="everyone")
        return {"warnings": ["The feed is not well formed."]}

    def bad(self, state):
        raise RseError("The wiki does not answer.")
        yield

    @hookimpl
    def rse_legacy_sources(self):
        return [LegacySource("press.news", "News", self.good), LegacySource("press.wiki", "Wiki", self.bad)]


class Broken(Plugin):
    """Cannot be configured."""

    manifest = Manifest(name="broken", label="Broken")

    @hookimpl
    def rse_configure(self, settings):
        raise RseError("[broken]: the key “urll” is unknown.", remedy="Did you mean “url”?")


@pytest.fixture
def rse_plugins():
    return [Press()]


@pytest.fixture
def core(rse_core):
    return rse_core(legacy_origins=["https://intranet.test"])


def run(core, *arguments, lang="C"):
    return CliRunner(env={"LC_ALL": lang}).invoke(cli, ["content", *arguments], obj=State(lambda: core))


def pages(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(Page))


def test_sync_reports_each_source_and_fails_when_one_does(core):
    done = run(core, "sync")
    assert done.exit_code == 1
    assert "press.news: 2 read, 1 new" in done.stdout
    assert "not pages of the intranet" in done.stdout
    assert "not well formed" in done.stderr
    assert "does not answer" in done.stderr
    assert pages(core) == 1


def test_sync_of_one_source_by_its_short_name(core):
    done = run(core, "sync", "news", "--json")
    assert done.exit_code == 0
    (report,) = json.loads(done.stdout)["sources"]
    assert (report["source"], report["counts"]["new"], report["counts"]["elsewhere"]) == ("press.news", 1, 1)


def test_a_name_that_is_no_source_is_refused_with_those_there_are(core):
    done = run(core, "sync", "nws")
    assert done.exit_code == 1
    assert "press.news, press.wiki" in done.stderr


def test_a_dry_run_says_that_nothing_was_written(core):
    done = run(core, "sync", "press.news", "--dry-run")
    assert done.exit_code == 0
    assert "1 new" in done.stdout
    assert "Nothing was written." in done.stdout
    assert pages(core) == 0


def test_status_tells_what_is_wrong_and_when_it_is_tried_again(core):
    assert "not read yet" in run(core, "status").stdout
    run(core, "sync")
    run(core, "sync", "press.wiki")
    shown = run(core, "status").stdout
    assert "press.news  News: in order" in shown
    assert "failed 2 times in a row" in shown
    assert "The wiki does not answer." in shown
    wiki = json.loads(run(core, "status", "--json").stdout)["sources"][1]
    assert (wiki["name"], wiki["failures"]) == ("press.wiki", 2)
    assert wiki["due_at"] > wiki["ran_at"]


def test_status_is_told_in_french(core):
    run(core, "sync", "news")
    shown = run(core, "status", lang="fr_FR.UTF-8").stdout
    assert "en ordre" in shown
    assert "pas encore lue" in shown


def test_check_shows_the_pages_that_a_source_would_give_and_writes_nothing(core):
    done = run(core, "check")
    assert done.exit_code == 1
    assert "page:/a  Le télétravail  [everyone]" in done.stdout
    assert "elsewhere: https://elsewhere.test/b" in done.stdout
    assert "press.wiki: The wiki does not answer." in done.stderr
    assert pages(core) == 0
    assert run(core, "check", "news").exit_code == 0


def test_check_tells_of_a_plugin_that_could_not_start(rse_core, rse_database):
    url = rse_database.migrated([Press()])
    core = rse_core([Press(), Broken()], database_url=url, strict=False, legacy_origins=["https://intranet.test"])
    done = run(core, "check", "news")
    assert done.exit_code == 1
    assert "Did you mean “url”?" in done.stderr


def test_without_sources_it_says_so(rse_core):
    core = rse_core([])
    assert "There is no source." in run(core, "status").stdout
    assert run(core, "sync").exit_code == 0
