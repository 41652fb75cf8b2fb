"""Asking the directory: one connection, pages of entries, and errors in words that say what to do."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rse_core.api import RseError

from .config import Config
from .i18n import _

with warnings.catch_warnings():
    # It takes names from pyasn1 that have newer ones.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core import exceptions as errors

#: Attributes that the server keeps of each entry, asked for beside those of the mapping.
CHANGED = {"openldap": "modifyTimestamp", "ad": "uSNChanged"}


class DirectoryUnavailable(RseError):
    """The directory could not be read to its end."""

    status = 502


class Interrupted(DirectoryUnavailable):
    """The connection was lost midway: worth trying again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory holds under one name; attributes by their names in lower case."""

    dn: str
    values: dict[str, list[bytes]]

    def all(self, name: str) -> list[bytes]:
        """The values of an attribute."""
        return self.values.get(name.lower(), [])


class Asker:
    """An open connection."""

    def __init__(self, connection: Any, config: Config) -> None:
        self._connection, self._config = connection, config

    def search(
        self, base: str, wanted: str, attributes: Sequence[str], *, key: str, scope: str = "SUBTREE", size: int = 0
    ) -> Iterator[list[Entry]]:
        """The entries below ``base``, a page at a time.

        :param key: the key of the configuration that named the base, for errors.
        :param size: entries of a page; 0 for those of the configuration.
        :raises DirectoryUnavailable: when it cannot be read to the end.
        """
        cookie: Any = None
        while True:
            with told(self._config, base, key):
                self._connection.search(
                    base, wanted, search_scope=scope, attributes=list(attributes), paged_size=size or self._config.page_size,
                    paged_cookie=cookie, time_limit=0,
                )  # fmt: skip
                result, found = self._connection.result, self._connection.response or []
            yield [
                Entry(one["dn"], {name.lower(): list(values) for name, values in one["raw_attributes"].items()})
                for one in found
                # References to other servers are not followed.
                if one["type"] == "searchResEntry"
            ]
            control = (result.get("controls") or {}).get("1.2.840.113556.1.4.319")
            cookie = control["value"]["cookie"] if control else None
            if not cookie:
                return

    def one(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """The entry of this name; None when there is none."""
        try:
            for page in self.search(dn, "(objectClass=*)", attributes, key="", scope="BASE"):
                return page[0] if page else None
        except Interrupted:
            raise
        except DirectoryUnavailable:
            return None
        return None

    def root(self) -> Entry:
        """What the server says of itself."""
        wanted = ["highestCommittedUSN", "dsServiceName", "vendorName"]
        return self.one("", wanted) or Entry("", {})


@contextmanager
def asking(config: Config) -> Iterator[Asker]:
    """A connection, bound.

    :raises DirectoryUnavailable: says what to check.
    """
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=config.ca_file or None,
    )  # fmt: skip
    with told(config, "", "url"):
        server = ldap3.Server(
            config.url, get_info=ldap3.NONE, connect_timeout=config.timeout, tls=tls if config.tls else None
        )
        connection = ldap3.Connection(
            server, user=config.bind_dn or None, password=config.password or None, read_only=True, raise_exceptions=True,
            auto_referrals=False, receive_timeout=config.timeout, check_names=False, auto_range=True,
        )  # fmt: skip
    try:
        with told(config, "", "url"):
            connection.open()
            if config.start_tls:
                connection.start_tls()
            connection.bind()
        yield Asker(connection, config)
    finally:
        _close(connection)


def _close(connection: Any) -> None:
    with suppress(errors.LDAPException, OSError):
        connection.unbind()
    # A connection that never opened, or that was lost, keeps its socket.
    if connection.socket is not None:
        with suppress(OSError):
            connection.socket.close()


@contextmanager
def told(config: Config, base: str, key: str) -> Iterator[None]:
    """Turn the errors of the library into sentences with a remedy."""
    try:
        yield
    except (errors.LDAPInvalidCredentialsResult, errors.LDAPInappropriateAuthenticationResult):
        raise DirectoryUnavailable(
            _("The directory does not accept %(name)s with this password.", name=config.bind_dn),
            remedy=_("Check bind_dn and the password in [ldap]."),
        ) from None
    except errors.LDAPNoSuchObjectResult:
        raise DirectoryUnavailable(
            _("The directory has nothing at “%(base)s”.", base=base), remedy=_("Check %(key)s in [ldap].", key=key)
        ) from None
    except (errors.LDAPInsufficientAccessRightsResult, errors.LDAPStrongerAuthRequiredResult) as error:
        raise DirectoryUnavailable(
            _("%(name)s may not read there (%(why)s).", name=config.bind_dn or "anonymous", why=error.description),
            remedy=_("Give it the right to read, or set bind_dn."),
        ) from None
    except (errors.LDAPSizeLimitExceededResult, errors.LDAPAdminLimitExceededResult):
        raise DirectoryUnavailable(
            _("The directory gives no more entries at once."),
            remedy=_("Set page_size in [ldap] below the limit of the server, or raise that limit for this account."),
        ) from None
    except (errors.LDAPInvalidFilterError, errors.LDAPInvalidDnError, errors.LDAPInvalidDNSyntaxResult) as error:
        raise DirectoryUnavailable(
            _("The directory does not understand what it is asked (%(why)s).", why=str(error) or type(error).__name__),
            remedy=_("Check the bases and filters in [ldap]."),
        ) from None
    except (errors.LDAPStartTLSError, errors.LDAPCertificateError, ssl.SSLError) as error:
        raise DirectoryUnavailable(
            _("The directory cannot be asked safely: %(why)s.", why=_short(error)),
            remedy=_("Set ca_file in [ldap] to the authority that signed its certificate."),
        ) from None
    except errors.LDAPSocketOpenError as error:
        if "certificate" in str(error).lower() or "ssl" in str(error).lower():
            raise DirectoryUnavailable(
                _("The directory cannot be asked safely: %(why)s.", why=_short(error)),
                remedy=_("Set ca_file in [ldap] to the authority that signed its certificate."),
            ) from None
        raise DirectoryUnavailable(
            _("No directory answers at %(url)s.", url=config.url), remedy=_("Check url in [ldap], and that the server runs.")
        ) from None
    except (errors.LDAPCommunicationError, errors.LDAPBusyResult, errors.LDAPUnavailableResult, OSError) as error:
        raise Interrupted(
            _("The connection to the directory was lost (%(why)s).", why=_short(error)),
            remedy=_("It is tried again at the next run."),
        ) from None
    except errors.LDAPException as error:
        raise DirectoryUnavailable(
            _("The directory refused (%(why)s).", why=_short(error)), remedy=_("See its own log.")
        ) from None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
