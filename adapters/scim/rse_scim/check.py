"""Whether the identity provider can get in: for ``rse doctor``."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import roles
from rse_core.api import HealthResult, utcnow
from rse_core.directory import runs
from rse_core.models.organisation import Person
from rse_core.models.runtime import Token

from .config import SCOPE, SOURCE, Config
from .i18n import _

#: A token that ends within so long is told of.
SOON = dt.timedelta(days=14)


def check(session: Session, config: Config) -> HealthResult:
    """A token that works, for a while still; its owner's account not kept by the provider that uses it; nothing refused."""
    now = utcnow()
    rows = session.execute(
        select(Token, Person)
        .join(Person, Person.id == Token.person_id)
        .where(Token.revoked_at.is_(None), Token.scopes.contains(SCOPE))
    ).all()
    found = [(token, owner) for token, owner in rows if token.expires_at is None or token.expires_at > now]
    if not found:
        return HealthResult(True, _("no token lets an identity provider in"))
    good = [
        (token, owner) for token, owner in found if owner.status == "active" and roles.is_site_admin(session, owner.id)
    ]
    if not good:
        return HealthResult(
            False, _("The owner of the token of SCIM does not administer the site any more."),
            _("Make another with rse token create, for an administrator whom no directory keeps."),
        )  # fmt: skip
    ends = [token.expires_at for token, _owner in good if token.expires_at is not None]
    if len(ends) == len(good) and max(ends) < now + SOON:
        return HealthResult(
            False, _("The last token of SCIM ends on %(day)s.", day=f"{max(ends):%Y-%m-%d}"),
            _("Make another with rse token create, and give it to the identity provider."),
        )  # fmt: skip
    if all(owner.source == SOURCE for _token, owner in good):
        return HealthResult(
            False, _("The owner of the token of SCIM is kept by SCIM: the identity provider could lock itself out."),
            _("Make another for an administrator whom it does not keep."),
        )  # fmt: skip
    latest = runs(session, SOURCE, most=1)
    if latest and latest[0].report.get("errors"):
        last_error = latest[0].report["errors"][-1]
        return HealthResult(
            False, _("Something that was sent was refused: %(what)s", what=last_error["message"]),
            _("See Administration, Directories."),
        )  # fmt: skip
    return HealthResult(True, _("provisioning is open"))
