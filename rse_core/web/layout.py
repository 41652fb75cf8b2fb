"""The intranet's look around our own pages: read from a page of the intranet or from a file, kept, refreshed in the
background. Whatever goes wrong with it, our pages are served in their own frame.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, g, request, url_for
from markupsafe import Markup

from ..errors import ConfigError
from ..i18n import current_locale
from ..settings import Settings
from .layout_html import Layout, cut, selector

log = logging.getLogger("rse.web")
blueprint = Blueprint("rse_layout", __name__)
#: Seconds: for an answer, between two readings, after a failure, and that a first page waits.
TIMEOUT, FRESH, RETRY, FIRST = 5.0, 60.0, 30.0, 2.0
MAX_BYTES = 2_000_000
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Frame:
    """What goes around a page: pieces that are safe to write as they are, since the intranet wrote them."""

    start: Markup
    body: Markup
    middle: Markup
    end: Markup
    has_main: bool
    has_skip: bool
    css: str
    attributes: bool
    version: str


@dataclass(slots=True)
class _Kept:
    frame: Frame | None = None
    until: float = 0.0
    stamp: float = 0.0
    reading: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Layouts:
    """The layouts of one application, by language where the address has ``{lang}`` in it."""

    def __init__(self, settings: Settings, origins: frozenset[str]) -> None:
        self.settings, self.origins = settings, origins
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def get(self, locale: str) -> Frame | None:
        """The frame to use now; None for our own. Never raises, and waits at most :data:`FIRST` seconds."""
        place = self.settings.layout.replace("{lang}", locale)
        if not place:
            return None
        with self._lock:
            kept = self._kept.setdefault(place, _Kept())
            due = time.monotonic() >= kept.until and not kept.reading
            if due:
                kept.reading = True
        if due:
            if _is_address(place):
                threading.Thread(target=self._read, args=(place, kept), name="rse-layout", daemon=True).start()
            else:
                self._read(place, kept)
        if kept.frame is None and kept.reading:
            kept.done.wait(FIRST)
        return kept.frame

    def _read(self, place: str, kept: _Kept) -> None:
        wait = FRESH
        try:
            if _is_address(place):
                kept.frame = self._made(self._fetched(place), place)
            else:
                file = Path(place)
                stamp = file.stat().st_mtime
                if stamp != kept.stamp:
                    kept.frame = self._made(file.read_text(encoding="utf-8"), "/")
                    kept.stamp = stamp
                wait = 2.0
        except Exception as error:  # isolation point: the layout must not cost anybody the page
            wait = RETRY
            text = error if isinstance(error, (ConfigError, OSError)) else f"{type(error).__name__}: {error}"
            if isinstance(error, HTTPError):
                error.close()
            instead = "the last one stays" if kept.frame else "our own is used"
            log.warning("the layout %s cannot be used, %s: %s", place, instead, text)
        finally:
            kept.until = time.monotonic() + wait
            kept.reading = False
            kept.done.set()

    def _fetched(self, address: str) -> str:
        check_address(address, self.origins)
        asked = urllib.request.Request(  # noqa: S310  http and https alone: check_address
            address, headers={"Accept": "text/html", "User-Agent": "RSE layout", "X-RSE-Layout": "1"}
        )
        with urllib.request.build_opener(_Nearby(self.origins)).open(asked, timeout=TIMEOUT) as answer:
            kind = answer.headers.get_content_type()
            if kind not in ("text/html", "application/xhtml+xml"):
                raise ConfigError(f"The layout {address} is no page: {kind}.")
            data = answer.read(MAX_BYTES + 1)
            charset = answer.headers.get_content_charset() or "utf-8"
        if len(data) > MAX_BYTES:
            raise ConfigError(f"The layout {address} is larger than {MAX_BYTES} bytes.")
        return str(data.decode(charset, "replace"))

    def _made(self, source: str, address: str) -> Frame:
        prefix = self.settings.url_prefix
        layout = cut(
            source, address=address, marker=self.settings.layout_marker,
            own_scripts=lambda src: urlsplit(src).path.startswith(f"{prefix}/embed.js"),
        )  # fmt: skip
        css = _beneath(layout)
        # As it is: the intranet wrote it.
        start, body, middle, end = (Markup(one) for one in (layout.start, layout.body, layout.middle, layout.end))  # noqa: S704
        version = hashlib.sha256(css.encode()).hexdigest()[:12]
        return Frame(start, body, middle, end, layout.has_main, layout.has_skip, css, layout.attributes, version)


def _beneath(layout: Layout) -> str:
    """A stylesheet that loads the intranet's in a layer below ours: neither side's rules break the other's page."""
    lines = ["@layer host, rse;"]
    for address, media in layout.sheets:
        quoted = _local(address).replace("\\", "%5C").replace('"', "%22").replace("\n", "")
        lines.append(f'@import url("{quoted}") layer(host){" " + media if _plain(media) else ""};')
    lines += [f"@layer host {{\n{text}\n}}" for text in layout.inline]
    return "\n".join(lines) + "\n"


def _local(address: str) -> str:
    # Fetched at the intranet's own port, seen by people through one origin.
    parts = urlsplit(address)
    return parts._replace(scheme="", netloc="").geturl() if parts.hostname in LOOPBACK else address


def _plain(media: str) -> bool:
    return bool(media.strip()) and not any(char in media for char in ';{}"\\')


class _Nearby(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the intranet only."""

    def __init__(self, origins: frozenset[str]) -> None:
        self.origins = origins

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Any:
        try:
            check_address(newurl, self.origins)
        except ConfigError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_address(address: str, origins: frozenset[str]) -> None:
    """:raises ConfigError: unless it is on this machine or on the configured intranet."""
    parts = urlsplit(address)
    near = parts.hostname in LOOPBACK or f"{parts.scheme}://{parts.netloc}".lower() in origins
    if parts.scheme not in ("http", "https") or not near or parts.username:
        raise ConfigError(
            f"layout: “{address}” is not on the intranet.", remedy="Use an address below one of legacy_origins, or a file."
        )


def _is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def current() -> Frame | None:
    """The frame around the page that is being made; None for our own."""
    if "rse_layout" not in g:
        layouts: Layouts = current_app.extensions["rse_layouts"]
        g.rse_layout = layouts.get(current_locale())
    found: Frame | None = g.rse_layout
    return found


def begin(settings: Settings) -> Layouts:
    """The layouts of an application.

    :raises ConfigError: for an address that is not the intranet's, or a marker that cannot be read.
    """
    origins = allowed_origins_of(settings)
    if _is_address(settings.layout):
        check_address(settings.layout, origins)
    if settings.layout_marker:
        selector(settings.layout_marker)
    return Layouts(settings, origins)


def allowed_origins_of(settings: Settings) -> frozenset[str]:
    """The origins of the intranet, as configured."""
    some = [*settings.legacy_origins, *(o for site in settings.legacy_sites.values() for o in site)]
    return frozenset(origin.rstrip("/").lower() for origin in some)


def stylesheet_url(frame: Frame) -> str:
    """The address of the stylesheet that brings the intranet's."""
    return url_for("rse_layout.stylesheet", v=frame.version)


@blueprint.get("/layout.css")
def stylesheet() -> Response:
    """The intranet's stylesheets, in a layer beneath ours."""
    frame = current()
    if frame is None:
        abort(404)
    answer = Response(frame.css, content_type="text/css; charset=utf-8")
    fresh = request.args.get("v") == frame.version
    answer.headers["Cache-Control"] = "public, max-age=86400" if fresh else "no-cache"
    return answer
