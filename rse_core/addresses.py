"""Addresses of the legacy intranet, brought to one form: no host, no tracking parameters, one spelling.

The same page must give the same key whatever way it was reached, in the browser, the injector and a content feed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

from .errors import NotFound
from .i18n import _

MAX_ADDRESS = 480
#: Query names without a value that name a page: SPIP's ``spip.php?article12``.
_BARE = re.compile(r"(article|rubrique|breve|mot|auteur|site)\d{1,9}\Z")
_SAFE = "/:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Address:
    """``site`` is "" for the main intranet; ``path`` the normalised path with the parameters that name a page."""

    site: str
    path: str

    @property
    def key(self) -> str:
        """As it stands in ``page:<key>``."""
        return f"{self.site}:{self.path}" if self.site else self.path


class AddressBook:
    """Knows the configured origins and which query parameters name a page.

    :param origins: origins of the main intranet.
    :param sites: further intranets, name → origins.
    :param parameters: names of query parameters that are part of a page's name.
    """

    def __init__(self, origins: Iterable[str], sites: Mapping[str, Iterable[str]], parameters: Iterable[str]) -> None:
        self._site_of = {_origin(o): "" for o in origins}
        for name, some in sites.items():
            self._site_of.update({_origin(o): name for o in some})
        self._names = set(sites)
        self._parameters = frozenset(parameters)

    def parse(self, text: str) -> Address:
        """An address from an absolute URL, a path, or a page's key.

        :raises NotFound: for a URL outside the configured origins, or a text that is no address.
        """
        text = text.strip()
        if not text or any(ord(c) < 32 or ord(c) == 127 for c in text):
            raise NotFound(_("This is not the address of a page."))
        if "://" in text[:12] or text.startswith("//"):
            try:
                parts = urlsplit(text if "://" in text[:12] else f"https:{text}")
                origin = _origin(f"{parts.scheme}://{parts.netloc}")
            except ValueError:
                raise NotFound(_("This is not the address of a page.")) from None
            if origin not in self._site_of:
                raise NotFound(
                    _("%(origin)s is not an origin of the intranet.", origin=origin),
                    remedy=_("Add it to legacy_origins if it is."),
                )
            return Address(self._site_of[origin], self._path(parts.path, parts.query))
        site, sep, rest = text.partition(":")
        if sep and site in self._names:
            text = rest
        else:
            site = ""
        if not text.startswith("/"):
            raise NotFound(_("“%(text)s” is not the address of a page.", text=text[:80]), remedy=_("Begin it with /."))
        path, _sep, query = text.partition("#")[0].partition("?")
        return Address(site, self._path(path, query))

    def of_site(self, site: str, text: str) -> Address:
        """As :meth:`parse`, a path being taken to be on that site."""
        return self.parse(f"{site}:{text}" if site in self._names and text.startswith("/") else text)

    def site_of_origin(self, origin: str) -> str | None:
        """The site an origin belongs to, None when it is not configured."""
        try:
            return self._site_of.get(_origin(origin))
        except ValueError:
            return None

    def _path(self, path: str, query: str) -> str:
        path = "/".join(part.split(";", 1)[0] for part in path.split("/"))
        path = quote(unquote_to_bytes(path or "/"), safe=_SAFE)
        # normpath keeps a leading "//"; it also takes the trailing slash away
        path = "/" + posixpath.normpath("/" + path.lstrip("/")).lstrip("/")
        kept = sorted(
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=200, errors="surrogateescape")
            if (name in self._parameters and value) or (not value and _BARE.match(name))
        )
        tail = "&".join(f"{_q(name)}={_q(value)}" if value else _q(name) for name, value in kept)
        full = f"{path}?{tail}" if tail else path
        if len(full) > MAX_ADDRESS:
            raise NotFound(_("The address of this page is longer than %(max)s characters.", max=str(MAX_ADDRESS)))
        return full


def _q(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="/:-._~")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    port = parts.port
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError(text)
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")
