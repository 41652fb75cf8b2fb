"""Messages as texts: subject, plain text and HTML in the person's language and time zone, without a picture or a tracker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from babel import Locale, dates
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy.orm import Session

from rse_core.api import Core, NotificationType, OutgoingMessage, core_of, translator, use_locale
from rse_core.i18n import current_locale
from rse_core.notify_lines import Line

from . import clock, options, tokens
from .contents import Digest, Recipient

_t = translator(__file__, "rse_notifications")
_ = _t.gettext
#: Longer subjects are cut by readers anyway.
SUBJECT = 140


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("rse_notifications", "templates/rse/notifications/mail"),
        autoescape=select_autoescape(("html",), default=False), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update({"_": _t.gettext, "ngettext": _t.ngettext})
    return made


def of_line(session: Session, who: Recipient, line: Line, key: str, channel: str) -> OutgoingMessage:
    """The message about one notification."""
    core = core_of(session)
    with use_locale(who.locale):
        name = line.notice.type if line.notice is not None else ""
        kind = next((one for _p, one in core.plugins.contributions(NotificationType) if one.name == name), None)
        values = _common(session, core, who, tokens.Stop(who.id, channel, name))
        values |= {
            "line": line.text,
            "url": options.absolute(values["base"], line.url) if line.url else None,
            "at": moment(line.at, who.zone),
            "why": str(kind.label) if kind is not None else "",
        }
        return _message(key, who, f"{line.text}", "one", values)


def of_digest(session: Session, who: Recipient, found: Digest, key: str, channel: str) -> OutgoingMessage:
    """The message of a digest."""
    core = core_of(session)
    with use_locale(who.locale):
        values = _common(session, core, who, tokens.Stop(who.id, channel, found.rhythm))
        base = values["base"]

        def shown(line: Line) -> dict[str, Any]:
            url = options.absolute(base, line.url) if line.url else None
            return {"text": line.text, "url": url, "at": moment(line.at, who.zone), "by": ""}

        sections = [(_("For you"), [shown(line) for line in found.mine])]
        sections.append((_("Announcements"), [shown(line) for line in found.announced]))
        for title, some in found.reading.items():
            entries = [
                {"text": one.title, "url": options.absolute(base, one.url), "at": moment(one.at, who.zone), "by": one.by}
                for one in some
            ]
            sections.append((title, entries))
        values |= {
            "sections": [(title, some) for title, some in sections if some], "more": found.more, "rhythm": found.rhythm,
            "since": moment(found.since, who.zone),
        }  # fmt: skip
        subject = _t.ngettext("Your digest: %(num)s piece of news", "Your digest: %(num)s pieces of news", found.count)
        return _message(key, who, subject, "digest", values)


def moment(when: dt.datetime, zone: str) -> str:
    """``12 janvier 2027, 08:00`` in the present language and that zone."""
    local = when.astimezone(clock.zone_of(zone))
    spoken = Locale.parse("fr_FR" if current_locale() == "fr" else "en_GB")
    return f"{dates.format_date(local.date(), 'long', spoken)}, {dates.format_time(local, 'short', locale=spoken)}"


def _common(session: Session, core: Core, who: Recipient, stop: tokens.Stop) -> dict[str, Any]:
    base = options.origin(session, core)
    here = f"{base}{core.settings.url_prefix}/notifications"
    return {
        "site": core.settings.site_name or _("The intranet"), "base": base, "home": f"{here}/",
        "preferences": f"{here}/preferences", "stop": f"{here}/unsubscribe/{tokens.sign(core, stop)}", "name": who.name,
        "locale": who.locale,
    }  # fmt: skip


def _message(key: str, who: Recipient, about: str, template: str, values: Mapping[str, Any]) -> OutgoingMessage:
    subject = _one_line(f"[{values['site']}] {about}")
    values = {**values, "subject": subject}
    text = _templates().get_template(f"{template}.txt").render(values)
    html = _templates().get_template(f"{template}.html").render(values)
    headers = {
        "List-Unsubscribe": f"<{values['stop']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    if not str(values["stop"]).startswith("https://"):
        # RFC 8058 asks for https; without it no mail program may be told to post there by itself.
        del headers["List-Unsubscribe-Post"]
    return OutgoingMessage(key, who.id, who.address, _one_line(who.name), subject, text, html, who.locale, headers)


def _one_line(text: str) -> str:
    cut = " ".join(text.split())
    return cut if len(cut) <= SUBJECT else cut[: SUBJECT - 1].rstrip() + "…"
