"""The blueprint, and who may enter."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request, url_for

from ...delegation import Rights, rights_of
from ...errors import Forbidden
from ...i18n import _
from ..identity import require_person
from ..state import session_read
from ..templating import entries_of

blueprint = Blueprint("rse_admin", __name__, url_prefix="/admin")


@blueprint.before_request
def enter() -> None:
    """Only for those who administer something.

    :raises SignInNeeded: for nobody.
    :raises Forbidden: for everybody else.
    """
    person = require_person()
    with session_read() as session:
        found = rights_of(session, person.id)
    if not found:
        raise Forbidden(
            _("These pages are for those who administer the site or an entity."),
            remedy=_("If you should be one of them, ask a site administrator."),
        )
    g.rse_rights = found


def rights() -> Rights:
    """What the person who asks administers."""
    found: Rights = g.rse_rights
    return found


def site_only() -> None:
    """:raises Forbidden: for an administrator of an entity."""
    if not rights().site:
        raise Forbidden(
            _("This is for site administrators."), remedy=_("You administer a part of the site: see its cursor.")
        )


@blueprint.context_processor
def navigation() -> dict[str, Any]:
    """The sections of the administration that the person may see."""
    if "rse_rights" not in g:
        return {"sections": []}
    some = [("rse_admin.cursor", _("Cursor"), "sliders-horizontal"), ("rse_admin.plugins", _("Plugins"), "puzzle")]
    some += [("rse_leavers.page", _("Leavers"), "user-minus"), ("rse_admin.why_not", _("Why can't they?"), "circle-help")]
    some += [("rse_admin.view_as", _("View as"), "eye")]
    if rights().site:
        some += [
            ("rse_admin.rollout", _("Rollout"), "calendar-clock"),
            ("rse_admin.capabilities", _("Capabilities"), "layers"),
            ("rse_admin.settings", _("Settings"), "settings"),
            ("rse_admin.directories", _("Directories"), "users"),
            ("rse_admin.journal", _("Audit log"), "scroll-text"),
        ]
    here = (request.endpoint or "").split("_apply")[0]
    if here.startswith("rse_admin.rollout"):
        here = "rse_admin.rollout"
    sections = [(url_for(endpoint), label, icon, endpoint == here) for endpoint, label, icon in some]
    with session_read() as session:
        plugins = entries_of(session, rights().person_id, "admin")
    return {"sections": [*sections, *((one.url, one.label, one.icon, one.here) for one in plugins)]}
