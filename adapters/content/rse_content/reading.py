"""What the readers of every kind share: from links to pages, from names to entities, notes that fit the configuration."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from rse_core.api import Publication, RseError

from .config import SourceConfig
from .fetch import origin_of
from .i18n import _, ngettext

#: Native ids, by the same rules as those by which the pages themselves are recognised.
WORDPRESS_ID = re.compile(r"[?&](?:p|page_id)=(\d{1,12})(?:&|#|$)")
SPIP_ID = re.compile(r"(?:[?&/]|id_)(?:article=?)(\d{1,9})(?:[&#/.]|$)")
#: What a link holds that shows a difference, an old state or a form, and not a page.
NO_PAGE = re.compile(
    r"[?&](?:diff|oldid|rev|rev2)=|[?&]do=(?!show\b)\w|[?&]action=(?:history|edit|raw|info|diff)\b", re.IGNORECASE
)
#: Fewer pages than this may all be gone at once; of more, not half.
FEW = 5


def fresh(config: SourceConfig, state: Mapping[str, Any]) -> dict[str, Any]:
    """The notes of last time, or none when the source is configured otherwise by now."""
    if state.get("config") != config.fingerprint:
        return {"config": config.fingerprint}
    return dict(state)


def address_of(config: SourceConfig, link: str, base: str) -> str:
    """Where a link points, as the core knows pages: a path for what is the source's own host, else the link itself.

    The intranet may be read through an internal host, and calls itself by that in what it lists.
    """
    own = {origin_of(config.url), *(origin_of(origin) for origin in config.origins)}
    try:
        target = urljoin(base, link.strip())
        if origin_of(target) not in own:
            return target
        parts = urlsplit(target)
    except ValueError:
        return link
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{config.site}:{path}" if config.site else path


def publication(
    config: SourceConfig, address: str, title: str, *, names: Iterable[str] = (), byline: str = "",
    section: str | None = None, **values: Any,
) -> Publication:  # fmt: skip
    """A publication with what the configuration says of all pages of this source.

    :param names: authors and categories, of which one may be an entity's.
    """
    return Publication(
        address, title, entity=entity_of(config, [byline, *names]), byline=byline, section=config.section or section,
        audience=config.audience, **values,
    )  # fmt: skip


def entity_of(config: SourceConfig, names: Iterable[str]) -> str | None:
    """The key of the entity that one of these names stands for, else of the one that publishes the whole source."""
    known = {folded(name): key for name, key in config.entities.items()}
    return next((known[folded(name)] for name in names if folded(name) in known), config.entity)


def folded(name: str) -> str:
    """For comparing names: no accents, no capitals, single spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def missing(known: Mapping[str, Any], present: Iterable[str], warnings: list[str]) -> list[str] | None:
    """Which of the known pages a complete list no longer has; None, with a warning, when suddenly most of them are missing.

    A list that came back empty means that it could not be made, far more often than that everything was withdrawn.
    """
    here = set(present)
    found = [name for name in known if name not in here]
    if len(found) > FEW and len(found) * 2 > len(known):
        warnings.append(
            ngettext(
                "%(num)s known page is missing from the list at once; it is kept.",
                "%(num)s known pages are missing from the list at once; they are kept.",
                len(found),
            )
        )
        return None
    return found


def limit_reached(config: SourceConfig) -> str:
    """The warning that a list was longer than what is taken of it."""
    return _("Only %(max)s pages were taken; the list is longer (limit max_items).", max=str(config.max_items))


def json_of(body: bytes, url: str) -> Any:
    """JSON that a server answered with.

    :raises RseError: when it is none.
    """
    import json

    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RseError(
            _("%(url)s does not answer with JSON.", url=url.partition("?")[0]),
            remedy=_("Check the address; the site may also ask for a sign-in."),
        ) from None
