"""What templates have: the translator of their own plugin, icons, avatars, times, addresses of assets.

``_`` and ``ngettext`` in a template speak the language of the distribution that it belongs to: ``rse/likes/bar.html`` uses
the catalogue of the plugin ``likes`` and, for a message that is not in it, the core's. ``t("rse_likes")`` names one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from flask import Flask, g, render_template, request, url_for
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from ..contributions import NavItem
from ..i18n import Translator, _, current_locale
from ..i18n import core as core_translator
from ..policy import can
from . import layout
from .charters import charter_boxes
from .csrf import csrf_token
from .files import file_limits, file_size, file_url
from .fragments import hidden_fields
from .gates import plugins_on
from .identity import current_person
from .kept_markup import KeptMarkup
from .language import format_clock, format_date, format_datetime, format_number, format_relative
from .live import live_url
from .own_pages import page_scripts, page_stylesheets, page_top, script_words
from .slots import composer_notes
from .state import core, session_read
from .theme import theme_stylesheets
from .viewing import viewing_bar

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ..extension import RSE

HUES = 12


class Translators:
    """The translators of the templates, found by the name of the template."""

    def __init__(self, extension: RSE) -> None:
        self._by_domain: dict[str, Translator] = {"rse": core_translator}
        self._by_plugin: dict[str, Translator] = {}
        for plugin, found in extension.core.plugins.translations():
            made = Translator(found.directory, found.domain)
            self._by_domain[found.domain] = self._by_plugin[plugin] = made

    def of(self, template: str | None) -> Translator:
        """``rse/likes/bar.html`` → the one of ``likes``."""
        parts = (template or "").split("/")
        return self._by_plugin.get(parts[1], core_translator) if len(parts) > 2 else core_translator

    def named(self, domain: str) -> Translator:
        """By domain; the core's for one that is unknown."""
        return self._by_domain.get(domain, core_translator)

    def gettext(self, context: Context, message: str, **values: Any) -> str:
        text = self.of(context.name).gettext(message)
        if text == message:
            text = core_translator.gettext(message)
        return text % values if values else text

    def ngettext(self, context: Context, one: str, many: str, num: int, **values: Any) -> str:
        own = self.of(context.name)
        text = own.ngettext(one, many, num, **values)
        if own is not core_translator and text in (one % {"num": num, **values}, many % {"num": num, **values}):
            return core_translator.ngettext(one, many, num, **values)
        return text


def register(app: Flask, extension: RSE) -> None:
    """Install globals and filters."""
    translators = Translators(extension)
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True

    @pass_context
    def gettext(context: Context, message: str, **values: Any) -> str:
        return translators.gettext(context, message, **values)

    @pass_context
    def ngettext(context: Context, one: str, many: str, num: int, **values: Any) -> str:
        return translators.ngettext(context, one, many, num, **values)

    env.globals.update(
        {
            "_": gettext,
            "gettext": gettext,
            "ngettext": ngettext,
            "t": translators.named,
            "asset_url": extension.asset_url,
            "avatar": avatar,
            "charter_boxes": charter_boxes,
            "composer_notes": composer_notes,
            "csrf_token": csrf_token,
            "current_locale": current_locale,
            "current_person": current_person,
            "file_limits": file_limits,
            "file_url": file_url,
            "hidden_fields": hidden_fields,
            "icon": icon,
            "intranet_home": intranet_home,
            "live_url": live_url,
            "moment": moment,
            "navigation": navigation,
            "page_layout": layout.current,
            "page_scripts": page_scripts,
            "page_stylesheets": page_stylesheets,
            "page_top": page_top,
            "personal_entries": personal_entries,
            "script_words": script_words,
            "site_name": extension.core.settings.site_name,
            "theme_stylesheets": theme_stylesheets,
            "viewing_bar": viewing_bar,
        }
    )
    env.filters.update(
        {
            "clock": format_clock,
            "date": format_date,
            "datetime": format_datetime,
            "file_size": file_size,
            "number": format_number,
            "relative": format_relative,
        }
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the navigation."""

    url: str
    label: str
    icon: str | None
    here: bool
    badge: int = 0
    #: the letter that leads here after "g" on the keyboard
    key: str = ""
    #: where the badge's number is asked for while the page is open, and by which kind of topic, of theirs, it changes
    count: str = ""
    topic: str = ""
    #: the entries under it, where it is a menu
    inside: tuple[Entry, ...] = ()


#: Menus: one is the same for all who have the same entries and as much to read, but for :data:`ME`. Some kilobytes each.
_menus = KeptMarkup(1_024)
#: Stands in a menu for the number of the person.
ME = Markup("<!--rse-me-->")


def navigation(label: str, layout: bool) -> Markup:
    """The site's menu, for who is signed in and may use anything of it.

    :param label: what it is called for who does not see it; ``layout``: within a page of the intranet.
    """
    person, entries = current_person(), navigation_entries()
    if person is None or not entries:
        return Markup("")
    made = _menus(
        (label, layout, *entries),
        lambda: render_template("rse/_menu.html", entries=entries, label=label, layout=layout, me=ME),
    )
    return Markup(made.replace(ME, str(person.id)))  # noqa: S704  a template made it


def navigation_entries() -> list[Entry]:
    """The plugins' pages that this person may use, then those that run the site: one menu for who administers, so that all
    of it stays in one line."""
    person = current_person()
    if person is None:
        return []
    with session_read() as session:
        entries = entries_of(session, person.id, "main")
        running = entries_of(session, person.id, "running")
        if not (bool(g.get("rse_rights")) or _administers(person.id)):
            return [*entries, *running]
        admin = entries_of(session, person.id, "admin")
    own = [("rse_admin.cursor", _("Cursor"), "sliders-horizontal")]
    if _administers(person.id, ("site",)):
        own.append(("rse_admin.rollout", _("Rollout"), "calendar-clock"))
    pages = [Entry(url_for(endpoint), label, symbol, request.endpoint == endpoint) for endpoint, label, symbol in own]
    inside = (*running, *pages, *admin)
    here = request.blueprint == "rse_admin" or any(one.here for one in inside)
    badge = sum(one.badge for one in running)
    menu = Entry(url_for("rse_admin.cursor"), _("Administration"), "sliders-horizontal", here, badge, inside=inside)
    return [*entries, menu]


def _administers(person_id: int, scopes: tuple[str, ...] = ("site", "entity")) -> bool:
    # From memory: it only decides whether the entry is shown, the pages behind it ask the database.
    facts = core().policy.person(person_id)
    return facts is not None and any(
        scope in scopes and (role, scope) in (("site_admin", "site"), ("entity_admin", "entity"))
        for role, scope, _ident in facts.roles
    )


def personal_entries() -> list[Entry]:
    """The plugins' pages about the person who asks (area ``me``), for the page ``me/``."""
    person = current_person()
    if person is None:
        return []
    with session_read() as session:
        return entries_of(session, person.id, "me")


def entries_of(session: Session, person_id: int, area: str) -> list[Entry]:
    """The entries of one area that this person may use, in order."""
    on = plugins_on(session, person_id)
    items = [(plugin, item) for plugin, item in core().plugins.contributions(NavItem) if plugin in on and item.area == area]
    found: list[Entry] = []
    taken: set[str] = set()
    for plugin, item in sorted(items, key=lambda one: (one[1].order, one[1].endpoint)):
        if item.shown is not None and not item.shown(session, person_id):
            continue
        if item.capability is None or can(session, person_id, item.capability):
            key = next((letter for letter in plugin if letter not in taken), "")
            taken.add(key)
            badge = item.badge(session, person_id) if item.badge is not None else 0
            here = item.endpoint == request.endpoint
            count = url_for(item.count) if item.count else ""
            found.append(Entry(url_for(item.endpoint), str(item.label), item.icon, here, badge, key, count, item.topic))
    return found


def intranet_home() -> str:
    """Where the intranet begins: this origin, unless it is configured elsewhere."""
    origins = core().settings.legacy_origins
    here = request.host.lower()
    if not origins or any(urlsplit(origin).netloc.lower() == here for origin in origins):
        return "/"
    return origins[0].rstrip("/") + "/"


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite; decorative unless it has a label."""
    if "rse_sprite" not in g:
        g.rse_sprite = url_for("rse_core.static", filename="vendor/icons.svg")
    return _icon(f"{g.rse_sprite}#{name}", str(label))


@lru_cache(maxsize=2_048)
def _icon(href: str, label: str) -> Markup:
    if label:
        return Markup(
            '<svg class="rse-icon" role="img" aria-label="{}" focusable="false"><use href="{}"></use></svg>'
        ).format(label, href)
    return Markup('<svg class="rse-icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>').format(href)


class Shown(Protocol):
    """Somebody of whom a card is shown."""

    @property
    def id(self) -> int: ...
    @property
    def display_name(self) -> str: ...


def avatar(person: Shown) -> Markup:
    """Initials on a colour derived from the person; the name stands beside it, so it is decorative."""
    words = [word for word in person.display_name.replace("-", " ").split() if word[:1].isalpha()]
    initials = "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
    return Markup('<span class="rse-avatar rse-hue-{}" aria-hidden="true">{}</span>').format(
        person.id * 7 % HUES, escape(initials)
    )


def moment(when: dt.datetime) -> Markup:
    """A time: relative to read, exact on hover and for machines."""
    # Not by ``Markup.format``, which takes as long as all the rest: a page shows dozens of times.
    exact, words = escape(format_datetime(when)), escape(format_relative(when))
    stamp = when.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{stamp}" title="{exact}">{words}</time>')  # noqa: S704  its parts are escaped
