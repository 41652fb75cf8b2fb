"""A real browser on a real page: the whole application on a free loopback port, and Chromium to walk through it.

.. code-block:: python

    def test_a_click_reacts(rse_site, rse_tab, axe_violations):
        site = rse_site([likes.plugin])
        set_level(site.core, "react")
        tab = rse_tab(site, make_person(site.core, "anna"), lang="fr", width=320)
        tab.goto(site.url("/news/1"))
        tab.get_by_role("button", name="J’aime", exact=True).click()
        tab.get_by_role("button", name="J’aime 1 personne", pressed=True).wait_for()
        assert axe_violations(tab) == []

The intranet is a small page of no particular make (:class:`PlainIntranet`), or any WSGI application, wrapped by the
adapter ``host`` as it would be in a company. Without Chromium or Playwright the test is skipped, or fails when
``RSE_TEST_REQUIRE`` names ``chromium``.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..models.organisation import Person
    from ..runtime import Core
    from .databases import Databases

#: The cookie by which a tab says who looks; only the server of this kit reads it, and it listens on loopback alone.
COOKIE = "rse_kit_person"
WIDTHS = (320, 1280)
LANGUAGES = ("fr", "en")
#: Milliseconds that an expected thing may take on a busy machine.
PATIENCE = 20_000
FLAGS = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip

_TEXTS = {
    "fr": ("Nouveaux horaires de l’accueil", "À compter de lundi, l’accueil du siège ouvre dès 8 h 30. "),
    "en": ("New opening hours of the reception", "From Monday on, the reception of the head office opens at 8.30. "),
}


@dataclass
class PlainIntranet:
    """A legacy intranet of one page, found at every address, in the language that the reader's browser asks for.

    :param head: markup for its head, a hostile style sheet for instance.
    :param body: markup instead of the article.
    """

    head: str = ""
    body: str = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        path = str(environ.get("PATH_INFO", "/"))
        if path == "/favicon.ico":
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        lang = "en" if str(environ.get("HTTP_ACCEPT_LANGUAGE", "")).startswith("en") else "fr"
        title, sentence = _TEXTS[lang]
        body = self.body or f"<article><h1>{title}</h1><p>{sentence * 4}</p><p>{sentence * 3}</p></article>"
        page = (
            f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="canonical" href="{html.escape(quote(path))}">'
            "<style>body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 17px/1.6 Georgia, serif; "
            "color: #222; background: #fff; overflow-wrap: break-word }</style>"
            f"{self.head}</head><body><main>{body}</main></body></html>"
        ).encode()
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))])
        return [page]


@dataclass
class Site:
    """A running site."""

    core: Core
    origin: str
    #: Every request that reached the server: method and path, as in ``"POST /rse/likes/react"``.
    requests: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The address of a path of this site."""
        return self.origin + path

    def asked(self, method: str, path: str) -> int:
        """How often this was asked for."""
        return self.requests.count(f"{method} {path}")


class _Notes:
    """Notes every request that comes over the wire, and how many are not yet answered to their end."""

    def __init__(self, app: WSGIApplication, site: Site) -> None:
        self.app, self.site = app, site
        self._open = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        from werkzeug.wsgi import ClosingIterator

        self.site.requests.append(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}")
        self._count(1)
        try:
            return ClosingIterator(self.app(environ, start_response), lambda: self._count(-1))
        except BaseException:
            self._count(-1)
            raise

    def _count(self, change: int) -> None:
        with self._changed:
            self._open += change
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait for the answers under way: a site is not taken down under them. A stream that never ends gets ten seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._open <= 0, timeout=10)


class _Believes:
    """RSE, signed in as the kit's cookie says; the pages' fragments are asked from it with the same cookies."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        from werkzeug.http import parse_cookie

        from .identity import ENVIRON_KEY

        person = parse_cookie(environ).get(COOKIE)
        if person:
            environ[ENVIRON_KEY] = person
        return self.app(environ, start_response)


def host_plugin() -> object:
    """The adapter that brings slots into pages, found as an installed distribution; the test is skipped without it."""
    for entry in metadata.entry_points(group="rse.plugins", name="host"):
        return entry.load()
    _missing("rse-host", "not installed here")


def _missing(name: str, reason: str) -> NoReturn:
    from .databases import missing_part

    missing_part(name, reason)


@pytest.fixture
def rse_site(_rse_database_kinds: dict[str, Databases]) -> Iterator[Callable[..., Site]]:
    """``rse_site(plugins, intranet=…, fragments=False, **settings)`` serves the whole application; returns a :class:`Site`.

    ``fragments=True`` also fills the slots on the server, for readers without JavaScript. The database is SQLite.
    """
    databases = _rse_database_kinds["sqlite"]
    running: list[tuple[Any, threading.Thread, Core, _Notes]] = []

    def serve(
        plugins: Sequence[object], *, intranet: WSGIApplication | None = None, fragments: bool = False, **settings: Any
    ) -> Site:
        from werkzeug.middleware.dispatcher import DispatcherMiddleware
        from werkzeug.serving import make_server

        from ..extension import create_app
        from ..runtime import Core
        from .databases import kit_settings
        from .identity import KitIdentity

        chosen = [*plugins, host_plugin(), KitIdentity()]
        server = make_server("127.0.0.1", 0, _nothing_yet, threaded=True, request_handler=_quiet_handler())
        origin = f"http://127.0.0.1:{server.server_port}"
        values = {"legacy_origins": (origin,), "sections": {"host": {"fragments": fragments}}, **settings}
        core = Core(kit_settings(database_url=databases.migrated(chosen), **values), plugins=chosen)
        site = Site(core, origin)
        rse = _Believes(create_app(core).wsgi_app)
        injector = core.plugins.host_injector()
        assert injector is not None, "the adapter was taken, so it wraps"
        extended = injector.wrap(intranet or PlainIntranet(), rse_app=rse)
        server.app = notes = _Notes(DispatcherMiddleware(extended, {core.settings.url_prefix: rse}), site)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        running.append((server, thread, core, notes))
        return site

    yield serve
    for server, thread, core, notes in reversed(running):
        server.shutdown()
        thread.join(10)
        notes.settle()
        server.server_close()
        core.close()
        databases.drop(core.settings.database_url)


def _nothing_yet(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []


def _quiet_handler() -> Any:
    from werkzeug.serving import WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    return Quiet


def chromium_path() -> str:
    """Where Chromium is: ``RSE_CHROMIUM``, else on the path; the test is skipped without it."""
    found = os.environ.get("RSE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not Path(found).exists():
        _missing("chromium", "not installed here")
    return found


# For one module, not for the run: two drivers at once, in tests that bring their own, do not bear each other.
@pytest.fixture(scope="module")
def rse_chromium() -> Iterator[Any]:
    """A headless Chromium (``playwright.sync_api.Browser``)."""
    path = chromium_path()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("chromium", "playwright, which drives it, is not installed here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def rse_tab(rse_chromium: Any) -> Iterator[Callable[..., Any]]:
    """``rse_tab(site, person, lang="fr", width=1280, js=True)`` opens a tab (``playwright.sync_api.Page``).

    Each has cookies of its own. ``js=False`` switches JavaScript off; ``script=False`` only keeps ``embed.js`` away, as a
    blocker does, so that what the server placed can still be examined. An error in a script of the page fails the test.
    """
    opened: list[tuple[Any, list[str]]] = []

    def open_tab(
        site: Site,
        person: Person | str | None = None,
        *,
        lang: str = "fr",
        width: int = 1280,
        js: bool = True,
        script: bool = True,
        **context: Any,
    ) -> Any:
        values = {"java_script_enabled": js, "locale": lang, "viewport": {"width": width, "height": 800}, **context}
        made = rse_chromium.new_context(**values)
        made.set_default_timeout(PATIENCE)
        if person is not None:
            username = getattr(person, "username", person)
            made.add_cookies([{"name": COOKIE, "value": username, "url": site.origin}])
        if not script:
            made.route("**/embed.js*", lambda route: route.abort())
        tab = made.new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        opened.append((made, errors))
        return tab

    yield open_tab
    for made, _errors in opened:
        made.close()
    assert [error for _made, errors in opened for error in errors] == []


@pytest.fixture
def axe_violations(request: pytest.FixtureRequest) -> Callable[..., list[str]]:
    """``axe_violations(tab)``: what axe-core finds against WCAG 2.1 AA, a line for each element; shadow roots included.

    axe-core is ``RSE_AXE`` or ``tests/browser/vendor/axe.min.js`` of the tree that is tested.
    """
    place = Path(os.environ.get("RSE_AXE") or request.config.rootpath / "tests/browser/vendor/axe.min.js")
    if not place.is_file():
        _missing("axe", f"{place} is not there")
    source = place.read_text(encoding="utf-8")

    def violations(tab: Any, *, of: str | None = None) -> list[str]:
        if not tab.evaluate("() => 'axe' in window"):
            # Evaluated, not added as an element: our pages' policy lets no inline script in.
            tab.evaluate(source + "\n;0")
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
        found = tab.evaluate(
            "([where, rules]) => axe.run(where || document, rules).then(result => result.violations)", [of, rules]
        )
        return [
            f"{rule['id']}: {rule['help']}: {json.dumps(node['target'])} {node['html'][:200]}"
            for rule in found
            for node in rule["nodes"]
        ]

    return violations


def overflows(tab: Any) -> bool:
    """Whether the page can be scrolled sideways."""
    return bool(tab.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"))
