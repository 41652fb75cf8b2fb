"""WSGI middleware that adds RSE to the pages of an intranet, and never takes one away.

Every error of ours ends with the intranet's own bytes and headers; errors of the intranet are passed on as
they are. How conditional requests are treated is written in :mod:`rse_host.headers`.
"""

from __future__ import annotations

import hashlib
import html
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from . import headers as h
from .answer import Answer, Closing, take
from .profiles import PROFILES, PageFacts, Profile, slot_fragments
from .rewriter import Fragment, Insert, Rewriter, default_rewriters, rewrite_safely

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("rse.host")

SlotSource = Callable[["WSGIEnvironment", PageFacts], Mapping[str, str]]
"""Called with the request and what the page says of itself; returns ready HTML per slot, empty for nothing.
"""
FragmentSource = Callable[["WSGIEnvironment"], Iterable[Fragment]]

DEFAULT_SLOTS = ("reactions", "comments")
COOKIES = "rse.host.cookies"
"""Key of the WSGI environment under which a source leaves the values of ``Set-Cookie`` headers for the page.
"""


def script_tag(
    prefix: str = "/rse",
    *,
    profile: str | Profile = "",
    slots: Iterable[str] = DEFAULT_SLOTS,
    nonce: str | None = None,
) -> str:
    """Return the one ASCII tag that brings RSE to a page.

    :param profile: a built-in one by its name, or one of your own, whose places are then written into the tag.
        It shares all other rules with the built-in profile of the same name.
    :raises ValueError: when an attribute would not be pure ASCII.
    """
    attributes = [("src", f"{prefix}/embed.js"), ("data-slots", ",".join(slots))]
    name = profile if isinstance(profile, str) else profile.name
    if name and name != "generic":
        attributes.append(("data-profile", name))
    if isinstance(profile, Profile) and PROFILES.get(name) is not profile:
        attributes.append(("data-anchors", json.dumps([[a.selector, a.where] for a in profile.anchors])))
        attributes.append(("data-only", profile.only))
    if nonce:
        attributes.append(("nonce", nonce))
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes)
    tag = f"<script{written} defer></script>"
    if not tag.isascii():
        raise ValueError(f"The script tag must be ASCII, or old encodings would break: {tag}")
    return tag


class HostMiddleware:
    """Wrap the intranet's WSGI application.

    :param app: the intranet.
    :param prefix: where RSE answers on the same origin; requests below it are passed through untouched.
    :param profile: name of a built-in profile, or one of your own (see :func:`script_tag`).
    :param slots: slots the script asks for.
    :param source: gives ready fragments for readers without JavaScript, placed by the profile; None for the
        script alone.
    :param fragments: the same, with selectors of your own: called with the request.
    :param limit: bytes of a page held in memory. A longer page gets its script while it streams, and no
        fragments.
    :param exclude: beginnings of paths that are never touched.
    :param rewriters: parsers that place fragments, tried in this order.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        prefix: str = "/rse",
        profile: str | Profile = "generic",
        slots: Iterable[str] = DEFAULT_SLOTS,
        source: SlotSource | None = None,
        fragments: FragmentSource | None = None,
        limit: int = 1 << 20,
        exclude: Iterable[str] = (),
        rewriters: tuple[Rewriter, ...] | None = None,
    ) -> None:
        self.app = app
        self.prefix = "/" + prefix.strip("/")
        self.profile = PROFILES[profile] if isinstance(profile, str) else profile
        self.slots = tuple(slots)
        self.source = source
        self.fragments = fragments
        # Who may see fragments today may not tomorrow: such a page has no validator even when it has none of them.
        self._personal = source is not None or fragments is not None
        self.limit = limit
        self._outside = (self.prefix + "/", *exclude)
        self.rewriters = rewriters if rewriters is not None else default_rewriters() if source or fragments else ()
        tag = script_tag(self.prefix, profile=self.profile, slots=self.slots)
        self._insert = Insert(tag, f"{self.prefix}/embed.js")
        # The tag is part of what a cached page must match: another tag, another mark.
        self.mark = hashlib.sha256(tag.encode()).hexdigest()[:8]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if path.startswith(self._outside) or path == self.prefix:
            return self.app(environ, start_response)
        marked = self._own_tags(environ)
        answer = self._ask(environ, marked)
        if marked is None and answer.hides_a_page(environ):
            again = self._ask(environ, None, conditions=False)
            if h.is_page(again.status, again.headers):
                answer.close()
                answer = again
            else:
                again.close()
        if not h.is_page(answer.status, answer.headers):
            return answer.pass_on(start_response, self.mark if marked is not None else None)
        return self._page(environ, answer, start_response)

    def _own_tags(self, environ: WSGIEnvironment) -> str | None:
        condition = environ.get("HTTP_IF_NONE_MATCH")
        return None if condition is None else h.take_mark(condition, self.mark)

    def _ask(self, environ: WSGIEnvironment, marked: str | None, *, conditions: bool = True) -> Answer:
        """Ask the intranet, with its own ETags and no coding that would only be undone again.

        The request is changed in place and put back, so that neither what the intranet notes in it nor what
        an outer middleware reads from it is lost.
        """
        changes: dict[str, str | None] = {}
        coding = environ.get("HTTP_ACCEPT_ENCODING")
        if coding is not None:
            page = "text/html" in environ.get("HTTP_ACCEPT", "") or not conditions
            changes["HTTP_ACCEPT_ENCODING"] = "gzip" if "gzip" in coding and not page else "identity"
        if marked is not None:
            changes.update(HTTP_IF_NONE_MATCH=marked, HTTP_IF_MODIFIED_SINCE=None)
        if not conditions:
            changes.update(dict.fromkeys(h.CONDITIONS))
        before = {name: environ.get(name) for name in changes}
        try:
            _put(environ, changes)
            return Answer(self.app, environ)
        finally:
            _put(environ, before)

    def _page(self, environ: WSGIEnvironment, answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") == "HEAD":
            unsized = [(k, v) for k, v in answer.headers if k.lower() not in ("content-length", "etag")]
            answer.headers = unsized
            return answer.pass_on(start_response)
        if _longer(h.first(answer.headers, "content-length"), self.limit):
            return self._stream(*take(answer.chunks(), self.limit), answer, start_response)
        try:
            body, rest = answer.collect(self.limit)
        except BaseException:
            answer.close()
            raise
        if rest is not None:
            return self._stream(body, rest, answer, start_response)
        answer.close()
        status, headers, out = answer.status, answer.headers, body
        try:
            # The intranet may have turned its answer into an error while it was making it.
            if h.is_page(status, headers):
                headers, out = self._changed(environ, answer.headers, body)
        except Exception:  # isolation point: ours to answer for, not the reader's
            logger.exception("%s: page left as it was", environ.get("PATH_INFO"))
        start_response(status, headers)
        return [out]

    def _changed(self, environ: WSGIEnvironment, headers: h.Headers, body: bytes) -> tuple[h.Headers, bytes]:
        try:
            plain = h.decode(body, h.first(headers, "content-encoding"), 8 * self.limit)
        except h.TooLarge:
            logger.warning("%s: left as it was, unpacked it is too large", environ.get("PATH_INFO"))
            return headers, body
        if plain is None:
            logger.warning("%s: left as it was, its Content-Encoding cannot be undone", environ.get("PATH_INFO"))
            return headers, body
        charset = h.charset(headers)
        insert = self._with_fragments(self._insert_for(headers), environ, plain, charset)
        out = rewrite_safely(plain, charset=charset, insert=insert, rewriters=self.rewriters)
        if out is plain:
            return headers, body
        changed = h.rewritten(headers, mark=None if self._personal else self.mark, length=len(out))
        changed += [("Set-Cookie", cookie) for cookie in environ.pop(COOKIES, ())]
        return changed, out

    def _insert_for(self, headers: h.Headers) -> Insert:
        nonce = h.nonce(headers)
        if nonce is None:
            return self._insert
        tag = script_tag(self.prefix, profile=self.profile, slots=self.slots, nonce=nonce)
        return Insert(tag, self._insert.script_address)

    def _with_fragments(self, insert: Insert, environ: WSGIEnvironment, plain: bytes, charset: str | None) -> Insert:
        try:
            fragments = tuple(self.fragments(environ)) if self.fragments is not None else ()
            if self.source is not None:
                from .facts import read_facts

                facts = read_facts(plain, self.profile, address=_address(environ), charset=charset)
                if facts.shows_one_object:
                    fragments += slot_fragments(facts, self.source(environ, facts))
        except Exception:  # isolation point: without fragments the script still brings the slots
            logger.exception("%s: no fragments", environ.get("PATH_INFO"))
            return insert
        return Insert(insert.script, insert.script_address, fragments)

    def _stream(
        self, body: bytes, rest: Iterator[bytes] | None, answer: Answer, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Send a page that is too long to hold, its tag placed in the first part when the head ends there."""
        headers = answer.headers
        if not _coded(headers):
            out = rewrite_safely(body, charset=h.charset(headers), insert=self._insert_for(headers), complete=False)
            if out is not body:
                old = h.first(headers, "content-length")
                length = int(old) + len(out) - len(body) if old is not None and old.strip().isdigit() else None
                headers, body = h.rewritten(headers, mark=self.mark, length=length), out
        answer.begun = True
        start_response(answer.status, headers)
        return Closing((body,) if rest is None else chain((body,), rest), answer)


def _address(environ: WSGIEnvironment) -> str:
    query = environ.get("QUERY_STRING", "")
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
    return f"{path}?{query}" if query else path


def _coded(headers: h.Headers) -> bool:
    return (h.first(headers, "content-encoding") or "identity").strip().lower() not in ("", "identity")


def _longer(length: str | None, limit: int) -> bool:
    return length is not None and length.strip().isdigit() and int(length) > limit


def _put(environ: WSGIEnvironment, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
