"""Entries as markup, written once for all who are shown the same.

An entry is the same for nearly everybody who reads it, but for how long ago it was and what stands below it: its reactions
and the number of its comments. Those are put in afterwards.
"""

from __future__ import annotations

from collections.abc import Hashable

from flask import get_template_attribute, request
from markupsafe import Markup, escape

from rse_core.api import current_locale

from .lines import Line

#: In place of the time, and of what stands below. No text that somebody wrote can hold them: it is escaped, or cleaned of
#: comments.
WHEN, BELOW = Markup("<!--rse-when-->"), Markup("<!--rse-below-->")
#: Entries kept, some kilobytes each: the newest ones of all spaces that are read just now.
MOST = 4_096
_made: dict[Hashable, str] = {}


def article(line: Line, when: Markup, below: Markup, level: int) -> Markup:
    """One entry of a list.

    :param when: its time, as it is to be shown.
    :param below: reactions and comments.
    :param level: of its heading.
    """
    link = None if line.link is None else tuple(line.link.items())
    key = (
        current_locale(), request.script_root, level, line.entry_id, line.ref, line.version, line.title, line.url,
        line.actor, line.entity, line.space, line.space_url, str(line.verb), line.html, line.whole, line.summary,
        line.audience, line.state, link, line.edited_at, line.announcement, line.locked, line.pinned, tuple(line.topics),
        tuple(line.files), line.rights.mine or line.rights.moderate,
    )  # fmt: skip
    html = _made.get(key)
    if html is None:
        html = str(get_template_attribute("rse/feed/_list.html", "article")(line, WHEN, BELOW, level))
        if len(_made) >= MOST:
            _made.clear()
        _made[key] = html
    return Markup(html.replace(WHEN, escape(when), 1).replace(BELOW, escape(below), 1))  # noqa: S704  parts are safe
