"""The first day of somebody whose entity collaborates, in the demo and in a real browser: she reads, reacts, comments,
posts with a picture, joins a community, finds a colleague's post, mutes and sees her digest.

Each way is walked by mouse and by keyboard alone, in French and English, narrow and wide; every screen is examined by axe.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from rse_example_intranet import demo, demo_seed
from rse_example_intranet.app import create_intranet
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import DemoIdentity

from rse_core.cli import cli
from rse_core.testing.browser import LANGUAGES, PATIENCE, WIDTHS, overflows
from rse_core.testing.once import made_once

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# What is looked for on the screen: in French, in English.
_WORDS = {
    "feed": ("Fil", "Feed"),
    "notifications": ("Notifications", "Notifications"),
    "communities": ("Communautés", "Communities"),
    "search": ("Rechercher", "Search"),
    "menu": ("Menu", "Menu"),
    "useful": ("Utile", "Useful"),
    "your_comment": ("Votre commentaire", "Your comment"),
    "comment": ("Commenter", "Comment"),
    "full": ("Titre, fichiers, plus tard…", "Title, files, later…"),
    "title": ("Titre", "Title"),
    "new": ("Quoi de neuf\u202f?", "What is new?"),
    "files": ("Ajouter des images et des fichiers", "Add pictures and files"),
    "publish": ("Publier", "Publish"),
    "join": ("Rejoindre", "Join"),
    "leave": ("Quitter cet espace", "Leave this space"),
    "asked": ("Que cherchez-vous\u202f?", "What are you looking for?"),
    "more": ("Plus", "More"),
    "to_read": ("À lire", "To read"),
    "read": ("J’ai lu", "I have read it"),
    "mute": ("Mettre cette communauté en sourdine", "Mute this community"),
    "digest": ("Votre prochain récapitulatif", "Your next digest"),
    "weekly": ("Votre récapitulatif hebdomadaire", "Your weekly digest"),
    "confirmed": ("Vous avez confirmé", "You confirmed"),
    "members": ("4 membres", "4 members"),
}
PICTURE = ("affiche.png", "Une affiche verte, texte noir", (640, 400))


@contextmanager
def _within_rse_demo() -> Iterator[None]:
    """Be where the command ``rse demo`` is: nowhere else can the account switcher be had."""
    with (
        click.Context(cli, info_name="rse") as above,
        click.Context(click.Command("demo"), info_name="demo", parent=above),
    ):
        yield


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was filled, has read the intranet's news and was stopped."""

    def fill(folder: Path) -> None:
        with _within_rse_demo(), Permit("127.0.0.1", folder) as permit, demo.running_core(permit, "127.0.0.1", 8400):
            pass

    def read(folder: Path) -> None:
        # The demo's own tests ask for the same.
        shutil.copytree(made_once(tmp_path_factory, "rse-demo", fill), folder)
        with (
            _within_rse_demo(),
            Permit("127.0.0.1", folder) as permit,
            demo.listening("127.0.0.1", 0) as server,
        ):
            server.app = create_intranet().wsgi_app
            with demo.serving(server), demo.running_core(permit, "127.0.0.1", server.port) as core:
                demo_seed.read_news(core)

    return made_once(tmp_path_factory, "rse-demo-with-news", read)


@pytest.fixture
def origin(seeded: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a running demo in which nobody has done anything yet."""
    folder = tmp_path / "demo"
    shutil.copytree(seeded, folder)
    with (
        _within_rse_demo(),
        Permit("127.0.0.1", folder) as permit,
        demo.listening("127.0.0.1", 0) as server,
        demo.running_core(permit, "127.0.0.1", server.port) as core,
    ):
        server.app = demo.wrap(core, DemoIdentity(permit))
        stop = threading.Event()
        # What the worker does in a real demo, at once: a search finds what was just posted.
        worker = threading.Thread(target=_work, args=(core, stop), daemon=True)
        worker.start()
        with demo.serving(server):
            yield f"http://127.0.0.1:{server.port}"
        stop.set()
        worker.join(10)


def _work(core: Any, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        core.jobs.run_due()


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture as a telephone makes it, only smaller."""
    from PIL import Image

    file = tmp_path_factory.mktemp("picture") / PICTURE[0]
    Image.new("RGB", PICTURE[2], "#3c7a52").save(file)
    return file


@dataclass
class Newcomer:
    """Somebody before the screen, with a mouse or with a keyboard only."""

    tab: Any
    hand: str
    lang: str
    width: int
    axe: Callable[..., list[str]]
    seen: list[str] = field(default_factory=list)

    def word(self, key: str) -> str:
        return _WORDS[key][self.lang == "en"]

    def reach(self, locator: Any) -> None:
        """Go to an element with Tab alone, from wherever the focus is."""
        locator.wait_for()
        handle = locator.element_handle()
        for _step in range(300):
            if handle.evaluate("e => e.getRootNode().activeElement === e"):
                return
            self.tab.keyboard.press("Tab")
        raise AssertionError(f"{locator} cannot be reached by the keyboard")

    def press(self, locator: Any) -> None:
        if self.hand == "mouse":
            locator.click()
            return
        self.reach(locator)
        self.tab.keyboard.press("Enter")

    def follow(self, locator: Any) -> None:
        """Press what leads to another page, and wait until it is there."""
        with self.tab.expect_navigation():
            self.press(locator)

    def write(self, locator: Any, text: str) -> None:
        if self.hand == "mouse":
            locator.click()
        else:
            self.reach(locator)
        self.tab.keyboard.insert_text(text)

    def go(self, name: str) -> None:
        """To one of our pages by the navigation, which is folded on a telephone."""
        navigation = self.tab.get_by_role("banner").get_by_role("navigation")
        folded = navigation.locator("summary")
        if self.width < 1024:
            self.press(folded)
        self.follow(navigation.get_by_role("link", name=self.word(name)).and_(navigation.locator(":visible")))

    def look(self, screen: str) -> None:
        """Examine what is on the screen; RSE_PICTURES names a folder for whoever wants to look too."""
        # A message fades in and a menu closes: what moves is not examined.
        self.tab.wait_for_function("() => document.getAnimations().every(a => a.playState !== 'running')")
        folder = os.environ.get("RSE_PICTURES")
        if folder:
            name = f"newcomer-{len(self.seen):02}-{screen}-{self.lang}-{self.width}-{self.hand}.png"
            self.tab.screenshot(path=str(Path(folder) / name), full_page=True)
        assert not overflows(self.tab), screen
        assert self.axe(self.tab) == [], screen
        self.seen.append(screen)


@pytest.fixture
def newcomer(
    rse_chromium: Any, axe_violations: Callable[..., list[str]], hand: str, lang: str, width: int
) -> Iterator[Newcomer]:
    """In a browser that has never been here."""
    context = rse_chromium.new_context(viewport={"width": width, "height": 800})
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield Newcomer(tab, hand, lang, width, axe_violations)
    context.close()
    assert wrong == []


def _becomes_zoe_and_opens_the_feed(she: Newcomer, origin: str) -> None:
    she.tab.goto(origin)
    she.press(she.tab.locator(".rse-demo-bar summary"))
    she.follow(she.tab.locator("button[value='zoe.bourguignon']"))
    she.tab.locator("rse-slot[name=feed]").get_by_role("link", name="Contrastes").wait_for()
    she.look("home")
    she.follow(she.tab.locator("rse-slot[name=navigation]").get_by_role("link", name="Fil"))
    she.tab.get_by_role("heading", level=1, name="Fil").wait_for()
    if she.lang == "en":
        she.follow(she.tab.get_by_role("button", name="English"))
    she.tab.get_by_role("heading", level=1, name=she.word("feed")).wait_for()
    she.look("feed")


def _confirms_what_is_to_be_read(she: Newcomer) -> None:
    she.follow(she.tab.get_by_role("link", name=she.word("to_read")))
    she.look("to-read")
    she.follow(she.tab.get_by_role("link", name="La charte d’utilisation est en vigueur"))
    she.look("announcement")
    she.follow(she.tab.get_by_role("button", name=she.word("read")))
    she.tab.get_by_text(she.word("confirmed")).first.wait_for()
    she.go("feed")


def _reads_reacts_and_comments(she: Newcomer) -> None:
    she.follow(she.tab.get_by_role("heading", name="Contrastes").get_by_role("link"))
    she.tab.get_by_role("heading", level=1, name="Contrastes").wait_for()
    she.look("post")
    reaction = she.tab.locator(".rse-likes").first.get_by_role("button", name=she.word("useful"))
    assert reaction.get_attribute("aria-pressed") == "false"
    she.press(reaction)
    she.tab.locator(".rse-likes").first.get_by_role("button", name=she.word("useful"), pressed=True).wait_for()
    words = "L’outil marche aussi sur nos lettres types."
    she.write(she.tab.get_by_label(she.word("your_comment")), words)
    she.press(she.tab.get_by_role("button", name=she.word("comment"), exact=True))
    she.tab.locator("article.rse-comment", has_text=words).wait_for()
    she.look("commented")


def _posts_with_a_picture(she: Newcomer, picture: Path) -> None:
    she.go("feed")
    words = "La nouvelle affiche de l’accueil, relue avec l’outil de Bérénice."
    she.write(she.tab.get_by_label(she.word("new")), words)
    she.follow(she.tab.get_by_role("button", name=she.word("full")))
    assert she.tab.get_by_label(she.word("new")).input_value() == words, "what was begun in the short form is kept"
    she.write(she.tab.get_by_label(she.word("title")).first, "Une affiche lisible")
    chooser = she.tab.get_by_label(she.word("files"))
    with she.tab.expect_file_chooser() as opened:
        she.press(chooser)
    opened.value.set_files(str(picture))
    described = she.tab.locator(".rse-upload-chosen input")
    she.write(described, PICTURE[1])
    she.look("compose")
    she.follow(she.tab.get_by_role("button", name=she.word("publish"), exact=True))
    shown = she.tab.get_by_role("img", name=PICTURE[1])
    shown.wait_for()
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => image.naturalWidth") >= 320
    she.look("posted")


def _joins_a_community(she: Newcomer) -> None:
    she.go("communities")
    she.look("communities")
    she.follow(she.tab.get_by_role("link", name="Prévention"))
    she.tab.get_by_role("heading", level=1, name="Prévention").wait_for()
    she.look("community")
    she.follow(she.tab.get_by_role("button", name=she.word("join")))
    she.tab.get_by_role("button", name=she.word("leave")).wait_for()
    she.tab.get_by_text(she.word("members")).wait_for()
    she.tab.get_by_label(she.word("new")).wait_for()
    she.look("joined")


def _finds_a_colleagues_post(she: Newcomer) -> None:
    she.go("search")
    she.write(she.tab.get_by_label(she.word("asked")), "dormir horaires")
    she.look("search")
    she.follow(she.tab.get_by_role("main").get_by_role("button", name=she.word("search")))
    found = she.tab.locator(".rse-search-hit").first.get_by_role("link", name="bien dormir")
    found.wait_for()
    she.look("found")
    she.follow(found)
    she.tab.get_by_role("heading", level=1, name="bien dormir").wait_for()


def _mutes_and_sees_the_digest(she: Newcomer) -> None:
    she.go("notifications")
    she.look("notifications")
    notice = she.tab.locator(".rse-notice", has_text="Ordre du jour").first
    she.press(notice.locator("summary"))
    she.look("menu")
    she.follow(notice.get_by_role("button", name=she.word("mute")))
    she.tab.get_by_role("status").wait_for()
    she.follow(she.tab.get_by_role("link", name=she.word("digest")))
    she.tab.get_by_role("heading", level=1, name=she.word("digest")).wait_for()
    weekly = she.tab.get_by_role("heading", level=2, name=she.word("weekly"))
    weekly.wait_for()
    she.tab.get_by_role("main").get_by_role("link", name="bien dormir").wait_for()
    she.look("digest")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
def test_the_first_day_of_a_newcomer(newcomer: Newcomer, origin: str, picture: Path) -> None:
    _becomes_zoe_and_opens_the_feed(newcomer, origin)
    _confirms_what_is_to_be_read(newcomer)
    _reads_reacts_and_comments(newcomer)
    _posts_with_a_picture(newcomer, picture)
    _joins_a_community(newcomer)
    _finds_a_colleagues_post(newcomer)
    _mutes_and_sees_the_digest(newcomer)
    assert len(newcomer.seen) == 16
