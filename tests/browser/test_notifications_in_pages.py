"""The bell in the intranet's pages, the list, preferences and the mails themselves, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import rse_comments
import rse_notifications
from rse_comments import service as comments
from rse_core import notify
from rse_core.api import Manifest, NotificationTransport, ObjectRef, Plugin, hookimpl
from rse_core.models.organisation import Person
from rse_core.testing.browser import LANGUAGES, WIDTHS, PlainIntranet, overflows
from rse_core.testing.organisation import make_person, set_level
from rse_notifications import contents, letters, planning, sending

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGE = ObjectRef("page", "/news/1")
LIST, PREFERENCES = "/rse/notifications/", "/rse/notifications/preferences"
BELL = {"fr": "Notifications : 2 non lues", "en": "Notifications: 2 unread"}
TITLE = {"fr": "Notifications", "en": "Notifications"}
WITH_BELL = '<header><rse-slot name="bell"></rse-slot></header><article><h1>News</h1><p>Text.</p></article>'


class Post(Plugin):
    """Keeps the mails."""

    manifest = Manifest("post", "Post", kind="adapter")

    def __init__(self):
        self.sent = []

    @hookimpl
    def rse_notification_transports(self):
        return [NotificationTransport("mail", "E-mail", self.sent.append)]


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def site(rse_site, post):
    made = rse_site(
        [rse_comments.plugin, rse_notifications.plugin, post], intranet=PlainIntranet(body=WITH_BELL), site_name="Intranet"
    )
    set_level(made.core, "comment")
    return made


@pytest.fixture
def anna(site):
    """Somebody with a comment that two answered."""
    person = make_person(site.core, "anna", name="Anna Sérès")
    ben, cleo = (make_person(site.core, name, name=full) for name, full in (("ben", "Benoît Œuvrard"), ("cleo", "Cléo Ny")))
    with site.core.db.write() as session:
        session.get(Person, person.id).email = "anna@example.org"
        mine = comments.write(session, person.id, PAGE, "Qui vient lundi ?")
        for one in (ben, cleo):
            comments.write(session, one.id, PAGE, "Moi.", parent_id=mine.id)
        comments.write(session, ben.id, PAGE, "@anna, les horaires changent.")
    site.core.jobs.run_due()
    with site.core.db.read() as session:
        assert notify.unread(session, person.id) == 2
    return person


def picture(tab, name):
    """Kept for whoever wants to look: RSE_PICTURES names the folder."""
    folder = os.environ.get("RSE_PICTURES")
    if folder:
        tab.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_bell_leads_to_the_list_and_every_page_is_clean(site, anna, rse_tab, axe_violations, lang, width):
    tab = rse_tab(site, anna, lang=lang, width=width)
    tab.goto(site.url("/news/1"))
    bell = tab.get_by_role("link", name=BELL[lang])
    bell.wait_for()
    assert axe_violations(tab) == []
    picture(tab, f"bell-{lang}-{width}")
    bell.click()
    tab.wait_for_url(f"**{LIST}")
    tab.get_by_role("heading", level=1, name=TITLE[lang]).wait_for()
    for path, name in ((LIST, "list"), (PREFERENCES, "preferences"), (f"{LIST}digest", "digest")):
        tab.goto(site.url(path))
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path
        picture(tab, f"{name}-{lang}-{width}")


def test_the_list_is_worked_by_keyboard_alone(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en", width=320)
    tab.goto(site.url(LIST))
    more = tab.locator(".rse-notice summary").first
    more.focus()
    tab.keyboard.press("Enter")
    mute = tab.get_by_role("button", name="Mute this conversation").first
    mute.wait_for()
    picture(tab, "menu")
    mute.focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("status").get_by_text("It is muted").wait_for()
    tab.get_by_role("button", name="Mark all as read").focus()
    tab.keyboard.press("Enter")
    tab.get_by_text("Everything is marked as read.").wait_for()
    assert tab.locator(".rse-notice.is-unread").count() == 0
    with site.core.db.read() as session:
        assert notify.unread(session, anna.id) == 0


def test_preferences_are_set_by_keyboard_alone_and_without_javascript(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en", width=320, js=False)
    tab.goto(site.url(PREFERENCES))
    field = tab.get_by_role("group", name="Somebody names you in a comment").get_by_label("E-mail")
    field.focus()
    field.select_option("weekly")
    tab.get_by_label("Time zone").fill("Mars/Phobos")
    tab.get_by_label("Time zone").press("Enter")
    tab.get_by_role("alert").get_by_text("is not a time zone").wait_for()
    assert tab.get_by_label("Time zone").input_value() == "Mars/Phobos"
    assert field.input_value() == "weekly"
    tab.get_by_label("Time zone").fill("Indian/Reunion")
    tab.get_by_label("Time zone").press("Enter")
    tab.get_by_text("Your choices are saved.").wait_for()
    with site.core.db.read() as session:
        assert notify.wishes(session, anna.id)["comments.mentioned", "mail"].value == "weekly"
        assert contents.recipient(session, anna.id).zone == "Indian/Reunion"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_mails_read_well_and_hold_nothing_from_outside(site, anna, post, rse_tab, axe_violations, lang):
    with site.core.db.write() as session:
        session.get(Person, anna.id).locale = lang
    planning.forward(site.core)
    sending.send_due(site.core)
    with site.core.db.read() as session:
        who = contents.recipient(session, anna.id)
        since = contents.looks_back(session, who, "mail", "daily")
        found = contents.digest(session, who, "daily", "mail", since)
        digest = letters.of_digest(session, who, found, "mail:d:1", "mail")
    assert len(post.sent) == 1, "the mention; the answers are for the digest"
    for mail, name in ((post.sent[0], "mail"), (digest, "mail-digest")):
        tab = rse_tab(site, None, lang=lang, width=320)
        asked = []
        tab.on("request", lambda request, asked=asked: asked.append(request.url))
        tab.set_content(mail.html)
        assert asked == []
        assert not overflows(tab)
        # A mail is a document of its own, without landmarks to find one's way among.
        assert [one for one in axe_violations(tab) if not one.startswith(("region", "landmark"))] == []
        picture(tab, f"{name}-{lang}")
        assert mail.headers["List-Unsubscribe"][1:-1] in mail.html


def test_a_mail_is_stopped_from_the_mail_without_signing_in(site, anna, post, rse_tab):
    planning.forward(site.core)
    sending.send_due(site.core)
    tab = rse_tab(site, None, lang="en", width=320)
    tab.goto(post.sent[0].headers["List-Unsubscribe"][1:-1])
    picture(tab, "stop")
    tab.get_by_role("button", name="Stop these mails").click()
    tab.get_by_role("heading", name="You get no more of these mails").wait_for()
    with site.core.db.read() as session:
        assert notify.wishes(session, anna.id)["comments.mentioned", "mail"].value == "none"
