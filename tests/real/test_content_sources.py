"""The content adapter reads real wikis, and what it learns has the key that a visit of the page gives."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from rse_content.plugin import Content
from rse_core import legacy
from rse_core.api import Consumer, Event, Manifest, Plugin, hookimpl
from rse_core.models.content import Page
from rse_core.pages import PageClaim

_spec = importlib.util.spec_from_file_location("real_wikis", Path(__file__).with_name("wikis.py"))
assert _spec is not None
assert _spec.loader is not None
wikis = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = wikis
_spec.loader.exec_module(wikis)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
REQUIRED = os.environ.get("RSE_TEST_REQUIRE", "").lower().split(",")


class Listener(Plugin):
    """Hears what becomes of the intranet's pages."""

    manifest = Manifest(name="listener", label="Listener")

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    @hookimpl
    def rse_consumers(self) -> list[Consumer]:
        return [Consumer("listener.hear", ("page.*",), self._hear)]

    def _hear(self, _session: Any, event: Event) -> None:
        assert event.ref is not None
        self.heard.append((event.name, event.ref.id))


@pytest.fixture(scope="module", params=[wikis.MediaWiki, wikis.DokuWiki], ids=lambda kind: kind.name)
def wiki(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param
    if kind.name not in REQUIRED and not (kind.package.is_dir() and shutil.which("php")):
        pytest.skip(f"the package {kind.name} is not installed")
    folder = Path(tempfile.mkdtemp(prefix=f"rse-{kind.name}-"))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    made = kind(folder, port)
    try:
        made.prepare()
        server = wikis.serve(made)
        try:
            yield made
        finally:
            wikis.end(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_wiki_is_read_changed_and_read_again(rse_core: Any, wiki: Any) -> None:
    listener = Listener()
    source = {"name": "wiki", "audience": "everyone", **wiki.source}
    sections = {"content": {"sources": [source]}}
    core = rse_core([Content(), listener], sections=sections, legacy_origins=(wiki.origin,), default_locale="en")

    def sync() -> Any:
        report = legacy.sync(core, legacy.source_named(core, "wiki"))
        assert not report.error, report.error
        core.jobs.run_due()
        return report

    def titles() -> dict[str, str]:
        with core.db.read() as session:
            return {page.title: page.key for page in session.scalars(select(Page).where(Page.gone_at.is_(None)))}

    sync()
    before = titles()
    assert {"Congés annuels", "Télétravail", "Restauration"} <= set(before)
    for title in ("Congés annuels", "Télétravail"):
        # The server's own word, an address as people share it, and what the page says of itself are one thread.
        with core.db.write() as session:
            address = f"{wiki.origin}{wiki.address(title)}"
            joint = "&" if "?" in address else "?"
            claim = PageClaim(f"{address}{joint}utm_source=mail#haut", native=wiki.native(title), trusted=True)
            assert core.pages.identify(session, claim, create=True).ref.id == before[title]
    assert sync().counts.touched == 0
    wiki.write("Mobilité", "Les postes ouverts.")
    wiki.delete("Restauration")
    sync()
    after = titles()
    assert "Mobilité" in after
    assert "Restauration" not in after
    assert {title: after[title] for title in ("Congés annuels", "Télétravail")} == {
        title: before[title] for title in ("Congés annuels", "Télétravail")
    }
    assert ("page.published", after["Mobilité"]) in listener.heard
    assert any(name == "page.gone" and key == before["Restauration"] for name, key in listener.heard)
    if isinstance(wiki, wikis.MediaWiki):
        wiki.rename("Télétravail", "Travail à distance")
        sync()
        assert titles()["Travail à distance"] == before["Télétravail"]
    # Later runs of this module's other database begin as the first did.
    wiki.delete("Mobilité")
    wiki.write("Restauration", "Le menu.")
    if isinstance(wiki, wikis.MediaWiki):
        wiki.rename("Travail à distance", "Télétravail")
