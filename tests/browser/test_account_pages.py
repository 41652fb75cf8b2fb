"""Where one is signed in, one's tokens, the administration's directories: narrow and wide, French and English."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rse_core import roles, sessions, tokens
from rse_core.api import Actor, Identity, utcnow
from rse_core.models.organisation import DirectoryRun
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("me/", "me/sessions", "me/tokens", "admin/directories/")


def test_each_page_is_clean_and_fits(rse_site, rse_tab, axe_violations):
    site = rse_site([])
    anna = make_person(site.core, "anna", name="Anna Sérès")
    error = {"file": "uid=un.nom.tres.long,ou=people,dc=intranet,dc=example,dc=org", "column": "mail", "line": 0,
             "message": "L’attribut mail manque.", "remedy": "Corrigez l’entrée."}  # fmt: skip
    with site.core.db.write() as session:
        roles.grant(session, anna.id, "site_admin", actor=Actor("cli:test"))
        for agent in ("Firefox Linux", "Safari iPhone", ""):
            sessions.begin(session, anna.id, Identity("https://portal.example", "anna"), hours=12, agent=agent)
        tokens.create_own(session, anna.id, "Un script dont le nom est plutôt long", ("read",), days=90)
        session.add(DirectoryRun(source="ldap.main", state="done", ended_at=utcnow(), report={"people": {"created": 3}}))
        session.add(DirectoryRun(source="ldap.main", state="failed", report={"error": "perdue", "errors": [error]}))
    wrong = []
    for lang in LANGUAGES:
        for width in WIDTHS:
            tab = rse_tab(site, anna, lang=lang, width=width)
            for path in PAGES:
                tab.goto(site.url(f"/rse/{path}"))
                tab.get_by_role("heading", level=1).wait_for()
                found = axe_violations(tab)
                if found or overflows(tab):
                    wrong.append((lang, width, path, found))
                folder = os.environ.get("RSE_PICTURES")
                if folder:
                    name = f"account-{path.strip('/').replace('/', '-')}-{lang}-{width}.png"
                    tab.screenshot(path=str(Path(folder) / name), full_page=True)
    assert wrong == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_token_is_made_and_revoked_with_the_keyboard(rse_site, rse_tab, axe_violations, lang):
    site = rse_site([])
    anna = make_person(site.core, "anna", name="Anna Sérès")
    words = {"fr": ("À quoi il sert", "Le créer", "Votre jeton", "Révoquer"),
             "en": ("What it is for", "Make it", "Your token", "Revoke")}[lang]  # fmt: skip
    tab = rse_tab(site, anna, lang=lang, width=320)
    tab.goto(site.url("/rse/me/tokens"))
    tab.get_by_label(words[0]).focus()
    tab.keyboard.type("Mon script")
    tab.keyboard.press("Enter")
    made = tab.get_by_label(words[2])
    made.wait_for()
    assert made.input_value().startswith("rse_")
    assert axe_violations(tab) == []
    assert not overflows(tab)
    tab.get_by_role("button", name=words[3]).focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("status").first.wait_for()
    with site.core.db.read() as session:
        assert tokens.own_tokens(session, anna.id) == []
