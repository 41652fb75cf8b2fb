"""The whole of it on real software: a stock SPIP behind a LemonLDAP::NG portal, with RSE in its pages by one tag of nginx.

Who is asking is the portal's word, by header. It runs as root where both are installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lemonldap
import pytest
from portal_walk import header_table, sign_in_at_the_portal
from sqlalchemy import func, select
from test_stock_intranets import bring_up

import rse_comments
import rse_host
import rse_likes
from rse_comments.models import Comment
from rse_core.api import Level
from rse_core.models.organisation import Person
from rse_core.testing import make_person, set_level
from rse_sso.plugin import Sso

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(1200)]
WRITTEN = "Rédigé à la main, c’est-à-dire lentement"
COMMENTS = "rse-slot[name=comments]"


@dataclass
class Behind:
    """The portal, the intranet behind it, and the path of an article."""

    portal: Any
    core: Any
    article: str

    @property
    def url(self) -> str:
        return str(self.portal.url("intranet", self.article))


@pytest.fixture(scope="module")
def spip() -> Iterator[Any]:
    lacking = lemonldap.missing()
    if lacking:
        pytest.skip(f"lemonldap is not installed here: {', '.join(lacking)}")
    folder = Path(f"/var/tmp/rse-test-spip-portal-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        yield from bring_up("spip", folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def behind(spip: Any, start_portal: Callable[..., Any], serve: Callable[..., None], rse_core: Any) -> Behind:
    portal = start_portal(intranet=int(spip.back.rpartition(":")[2]))
    core = rse_core(
        [Sso(), rse_host.plugin, rse_comments.plugin, rse_likes.plugin],
        identity=False,
        sections={"sso": {"sources": ["header"], "header": header_table(portal)}, "host": {"profile": "spip"}},
        legacy_origins=(portal.url("intranet", ""),),
    )
    make_person(core, "hdupont", name=lemonldap.NAME)
    make_person(core, "amartin", name="Alice Martin")
    set_level(core, Level.COMMENT)
    serve(core, portal)
    return Behind(portal, core, spip.article)


def slots(tab: Any, behind: Behind) -> dict[str, Any] | None:
    """What the script in the page is told, asked for by this browser; nothing where it is led elsewhere."""
    path = f"/rse/embed/slots?address={behind.article}&slots=comments&lang=fr"
    found: dict[str, Any] | None = tab.evaluate(
        "path => fetch(path, {redirect: 'manual'}).then(answer => answer.ok ? answer.json() : null)", path
    )
    return found


def test_spip_behind_the_portal_knows_the_person_and_loses_no_text(behind: Behind, window: Callable[..., Any]) -> None:
    portal, core = behind.portal, behind.core
    tab = window()
    tab.goto(behind.url)
    sign_in_at_the_portal(tab)
    tab.wait_for_url(behind.url)
    # SPIP's own page, with one tag more, and the person known by the portal's word.
    assert "SPIP" in tab.locator("meta[name=generator]").get_attribute("content")
    assert tab.locator("script[src='/rse/embed.js']").count() == 1
    tab.locator(f"{COMMENTS} textarea").first.wait_for()
    assert (slots(tab, behind) or {})["person"]["name"] == lemonldap.NAME

    # The session ends, in another tab, while the person writes.
    tab.locator(f"{COMMENTS} textarea").first.fill(WRITTEN)
    other = tab.context.new_page()
    other.goto(portal.url("auth", "/?logout=1"))
    other.goto(behind.url)
    other.locator("input[name=password]").wait_for()
    tab.locator(f"{COMMENTS} form[method=post] [type=submit]").first.click()
    tab.locator(COMMENTS).get_by_text("Votre session a expiré. Votre texte est conservé.").wait_for()
    assert tab.locator(f"{COMMENTS} textarea").first.input_value() == WRITTEN
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == 0
    tab.locator(COMMENTS).get_by_role("link", name="Se reconnecter").click()
    again = next((page for page in tab.context.pages if page.locator("input[name=password]").count()), tab)
    sign_in_at_the_portal(again)
    again.wait_for_url(behind.url)
    field = again.locator(f"{COMMENTS} textarea").first
    field.wait_for()
    again.wait_for_function(
        "text => [...document.querySelectorAll('rse-slot[name=comments]')].some(slot =>"
        " [...(slot.shadowRoot || slot).querySelectorAll('textarea')].some(field => field.value === text))",
        arg=WRITTEN,
    )
    again.locator(f"{COMMENTS} form[method=post] [type=submit]").first.click()
    again.locator(COMMENTS).get_by_text(WRITTEN).first.wait_for()
    with core.db.read() as session:
        found = session.execute(select(Person.username).join(Comment, Comment.author_id == Person.id)).scalars().all()
    assert found == ["hdupont"]


def test_who_writes_the_identity_header_gets_nothing_from_it(behind: Behind, window: Callable[..., Any]) -> None:
    portal = behind.portal
    forged = {
        "X-RSE-User": "hdupont", "X-RSE-Name": "Hélène".encode().decode("latin-1"), "Auth-User": "hdupont",
        "X-RSE-Proxy-Secret": "a guess",
    }  # fmt: skip
    # Nobody is led to the portal, whatever they write.
    stranger = window(extra_http_headers=forged)
    stranger.goto(behind.url)
    stranger.locator("input[name=password]").wait_for()
    stranger.goto(portal.url("intranet", "/rse/embed/slots?address=/&slots=comments"))
    stranger.locator("input[name=password]").wait_for()
    stranger.goto(behind.url)
    # Somebody stays who they are.
    sign_in_at_the_portal(stranger, "amartin")
    stranger.wait_for_url(behind.url)
    assert (slots(stranger, behind) or {})["person"]["name"] == "Alice Martin"
    # Beside the portal, at the application's own port, the header is a client's own words.
    beside = window(extra_http_headers=forged)
    beside.goto(f"http://127.0.0.1:{portal.service}/rse/healthz")
    assert (slots(beside, behind) or {})["person"] is None
