"""What an author sends, checked: title, text, length; which whole audiences a text calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from rse_core import richtext
from rse_core.api import BadInput, option, translator
from rse_core.legacy_text import squeezed

_ = translator(__file__, "rse_feed").gettext

TITLE_MOST = 200
TITLE, LENGTH, CALL_MOST, EVERYTHING = "feed.title", "feed.max_length", "feed.mention_all_max", "feed.everything"
TITLES = ("optional", "required", "none")
#: Words that call a whole space or everybody, in both languages.
CALLS = {"space": "space", "espace": "space", "everyone": "everyone", "tous": "everyone"}
ACTS = ("publish", "draft", "schedule")
_LINK = {"url": 2_000, "title": 300, "description": 1_000, "site": 200, "page": 500}


@dataclass(frozen=True, slots=True)
class Written:
    """A post as its author sends it.

    :param audience: a key of :mod:`whom`.
    :param act: ``publish`` (now), ``draft`` or ``schedule`` (at ``publish_at`` on the clock of ``publish_zone``).
    :param files: keys of the author's uploads and of files it has already, in order; None leaves them as they are.
    :param link: of a page or an address: ``url``, ``title``, ``description``, ``site``; empty takes it away.
    :param topics: chosen beside the ``#words`` of the text; None leaves them as they are.
    :param entity: key of the entity in whose name it is.
    :param widen: the author has confirmed that more people will see it than before.
    """

    body: str = ""
    title: str = ""
    audience: str = ""
    act: str = "publish"
    publish_at: str = ""
    publish_zone: str = ""
    files: tuple[str, ...] | None = None
    alts: Mapping[str, str] = field(default_factory=dict)
    link: Mapping[str, str] | None = None
    entity: str = ""
    topics: tuple[str, ...] | None = None
    announcement: bool = False
    must_read: bool = False
    firm: bool = False
    acknowledge_by: dt.datetime | None = None
    widen: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """The texts as they are kept."""

    title: str
    body: str
    link: dict[str, str] | None
    calls: frozenset[str]


def check(session: Session, written: Written) -> Checked:
    """The texts of a post.

    :raises BadInput: for one that is empty, too long, or has or lacks a title against the site's setting; names the field.
    """
    body = richtext.clean(written.body)
    title = squeezed(richtext.clean(written.title))
    link = _link(written.link)
    most = option(session, LENGTH)
    wanted = option(session, TITLE)
    if written.act not in ACTS:
        raise BadInput(_("“%(act)s” is none of publish, draft and schedule.", act=written.act[:20]))
    if not body and not title and not written.files and link is None:
        raise BadInput(_("The post is empty."), fields={"body": _("Write something first.")})
    if len(body) > most:
        raise BadInput(
            _("The post has %(length)s characters; at most %(most)s are possible.", length=len(body), most=most),
            fields={"body": _("Shorten it by %(over)s characters.", over=len(body) - most)},
        )
    if wanted == "none":
        title = ""
    elif wanted == "required" and not title and written.act != "draft":
        raise BadInput(_("The post has no title."), fields={"title": _("Give it a title.")})
    if len(title) > TITLE_MOST:
        raise BadInput(
            _("The title has %(length)s characters; at most %(most)s are possible.", length=len(title), most=TITLE_MOST),
            fields={"title": _("Shorten it by %(over)s characters.", over=len(title) - TITLE_MOST)},
        )
    return Checked(title, body, link, calls(body))


def amended(session: Session, body: str) -> str:
    """A text corrected by a moderator.

    :raises BadInput: for one that is empty or too long.
    """
    return check(session, Written(body=body, act="draft")).body


def calls(body: str) -> frozenset[str]:
    """Which whole audiences a text calls: ``space``, ``everyone``."""
    return frozenset(CALLS[name] for name in richtext.mentioned(body) if name in CALLS)


def heading(title: str, body: str) -> str:
    """What a post is called in a line: its title, else how it begins."""
    return title or richtext.plain(body, 90)


def _link(link: Mapping[str, str] | None) -> dict[str, str] | None:
    if not link or not link.get("url"):
        return None
    found = {key: " ".join(str(link[key]).split())[:most] for key, most in _LINK.items() if link.get(key)}
    url = found["url"]
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        fits = False
    inside = url.startswith("/") and not url.startswith("//") and "\\" not in url
    if not (fits or inside) or not url.isprintable():
        raise BadInput(_("This is not the address of a page."), fields={"link": _("Write https://…")})
    return found
