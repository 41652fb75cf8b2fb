"""A space is made, described and changed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from rse_core import files, organisation, richtext, spaces
from rse_core.api import BadInput, Event, core_of, emit, record, require, translator
from rse_core.idempotency import once
from rse_core.legacy_text import squeezed
from rse_core.models.organisation import Space, SpaceMember
from rse_core.people import folded
from rse_core.ratelimit import limit

from . import access, members
from .access import Seat
from .kinds import JOIN_POLICIES, NOTIFY, VISIBILITIES, Kind, choice, kind_of
from .models import Profile

_t = translator(__file__, "rse_communities")
_ = _t.gettext
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LIMITS = {"name": 200, "purpose": 1000, "description": 10_000, "rules": 10_000}


def new_key(name: str) -> str:
    """A key from a name, always with an ending of its own: which keys are taken says nothing of what one may not know of.

    >>> new_key("Métiers de l'accueil")[:21]
    'metiers-de-l-accueil-'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", folded(name)).strip("-")[:60].strip("-") or "space"
    return slug + "-" + "".join(secrets.choice(_ALPHABET) for _ in range(4))


def create(
    session: Session, person_id: int, *, name: str, kind: str, purpose: str = "", visibility: str | None = None,
    key: str | None = None,
) -> Space:  # fmt: skip
    """Make a space; its maker owns it. Its members alone know of it until it opens (:mod:`rse_communities.framing`).

    :param visibility: what it is once it is open; by default as its kind says.
    :param key: idempotency key; the same key makes one space.
    :raises Forbidden: below the level of co-creation, or for another reason of the rules.
    :raises BadInput: names each field.
    """
    require(session, person_id, access.CREATE)
    template = kind_of(kind)
    wanted = choice("visibility", visibility or template.visibility, VISIBILITIES)
    texts = checked({"name": name, "purpose": purpose})

    def make() -> str:
        limit(session, person_id, "communities.create", most=20, seconds=3600)
        space = _make(session, person_id, texts, template, wanted)
        return str(space.id)

    ident, _new = once(session, person_id, key, "communities.create", f"{name}\n{kind}\n{purpose}\n{wanted}", make)
    return session.get_one(Space, int(ident))


def _make(session: Session, person_id: int, texts: Mapping[str, str], template: Kind, wanted: str) -> Space:
    actor = access.actor_of(session, person_id)
    while True:
        key = new_key(texts["name"])
        if spaces.by_key(session, key) is None:
            break
    space = organisation.add_space(session, key, texts["name"], visibility="secret", actor=actor)
    space.notify = template.notify
    session.add(
        Profile(
            space_id=space.id,
            kind=template.key,
            folded=folded(texts["name"])[:300],
            purpose=texts["purpose"],
            contact_id=person_id,
            join_policy="none" if wanted == "secret" else template.join_policy,
            state="preparing",
            wanted=wanted,
            sheet={},
            created_by=person_id,
        )
    )
    session.flush()
    organisation.join_space(session, space.id, person_id, "owner")
    apply_template(session, space.id, template)
    members.recount(session, [space.id])
    emit(session, Event("communities.created", person_id, organisation.space_ref(space.id)))
    return space


def apply_template(session: Session, space_id: int, template: Kind) -> None:
    """Who may do what, as the kind says; capabilities of plugins that are not there are left out."""
    known = core_of(session).plugins.capabilities
    for capability, who in template.rules.items():
        if capability in known:
            organisation.set_space_rule(session, space_id, capability, who)


def checked(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts of a space as they are kept.

    :raises BadInput: names every field that is missing or too long, with what to do.
    """
    clean = {field: squeezed(value) if field == "name" else richtext.clean(value) for field, value in texts.items()}
    wrong: dict[str, str] = {}
    if "name" in clean and not clean["name"]:
        wrong["name"] = _("Give the space a name.")
    for field, value in clean.items():
        if len(value) > LIMITS[field]:
            wrong[field] = _t.ngettext(
                "Shorten it by %(num)s character.", "Shorten it by %(num)s characters.", len(value) - LIMITS[field]
            )
    if wrong:
        raise BadInput(_("Some of this cannot be taken yet."), fields=wrong)
    return clean


def change(
    session: Session,
    person_id: int,
    key: str,
    *,
    version: int | None = None,
    picture: tuple[Sequence[str], Mapping[str, str]] | None = None,
    **wanted: Any,
) -> Seat:
    """Change what a space says of itself.

    :param wanted: any of name, purpose, description, rules, kind, join_policy, notify, contact, deputy (usernames; "" for
        nobody).
    :param picture: keys of files (the person's own loose one, or the present one) and their texts; None leaves it.
    :raises Forbidden: for who does not administer it.
    :raises Conflict: when it has changed since ``version``.
    """
    seat = access.managing(session, person_id, key, least="administers")
    texts = checked({field: str(wanted[field]) for field in LIMITS if field in wanted})
    profile = access.profile_for_write(session, seat, version)
    before = {field: getattr(profile, field) for field in ("kind", "join_policy", "contact_id", "deputy_id")}
    if "kind" in wanted:
        profile.kind = kind_of(wanted["kind"]).key
    if "join_policy" in wanted:
        profile.join_policy = choice("join_policy", wanted["join_policy"], JOIN_POLICIES)
    for field in ("contact", "deputy"):
        if field in wanted:
            setattr(profile, f"{field}_id", _one_of_us(session, seat, field, wanted[field]))
    for field in ("purpose", "description", "rules"):
        if field in texts:
            setattr(profile, field, texts[field])
    actor = access.actor_of(session, person_id)
    if "notify" in wanted:
        spaces.set_notify(session, seat.space.id, choice("notify", wanted["notify"], NOTIFY), actor=actor)
    if "name" in texts and texts["name"] != seat.space.name:
        spaces.rename(session, seat.space.id, name=texts["name"], actor=actor)
        profile.folded = folded(texts["name"])[:300]
    if picture is not None:
        keys, alts = picture
        if any(info.kind != "image" for info in files.attach(session, person_id, keys, seat.ref, alts=alts)):
            raise BadInput(_("Choose a picture."), fields={"picture": _("JPEG, PNG, GIF and WebP are pictures.")})
    profile.version += 1
    session.flush()
    after = {field: getattr(profile, field) for field in before}
    record(session, actor, "communities.change", f"space:{seat.space.key}", before=before, after=after)
    emit(session, Event("communities.changed", person_id, seat.ref, seat.audience_id))
    return access.by_id(session, person_id, seat.space.id)


def new_address(session: Session, person_id: int, key: str) -> str:
    """Give the space a key made of its present name; the former one goes on leading to it."""
    seat = access.managing(session, person_id, key, least="owns")
    made = new_key(seat.space.name)
    spaces.rename(session, seat.space.id, key=made, actor=access.actor_of(session, person_id))
    return made


def switch_plugins(session: Session, person_id: int, key: str, on: set[str]) -> None:
    """Which plugins are on in this space, of those that the site leaves to choose; what they hold there stays.

    :raises Forbidden: for who does not administer it.
    :raises BadInput: for a plugin that is not left to choose; nothing is switched then.
    """
    seat = access.managing(session, person_id, key, least="administers")
    plugins, actor = core_of(session).plugins, access.actor_of(session, person_id)
    choices = choosable(session)
    for name in sorted(on.difference(choices)):
        raise BadInput(
            _("“%(name)s” is not a plugin that this space may choose.", name=name),
            remedy=_("Choose among: %(names)s.", names=", ".join(choices) or "–"),
        )
    for name in choices:
        if name in on:
            plugins.enable(session, name, actor, "space", seat.space.id)
        else:
            plugins.disable(session, name, actor, "space", seat.space.id)


def choosable(session: Session) -> list[str]:
    """The plugins that a space may switch off and on: those that the site lists and that run."""
    from rse_core.api import option

    states = core_of(session).plugins.states
    return [name for name in option(session, "communities.plugins") if name in states and states[name].status == "on"]


def switched_off(session: Session, space_id: int) -> set[str]:
    """The plugins that are off in this space; from memory."""
    switches = core_of(session).policy.snapshot().switches
    return {name for name, rows in switches.items() if rows.get(("space", space_id)) is False}


def _one_of_us(session: Session, seat: Seat, field: str, username: str) -> int | None:
    if not username.strip():
        return None
    try:
        found = access.person_card(session, username)
    except BadInput as error:
        raise BadInput(error.message, fields={field: error.message}) from None
    role = session.get(SpaceMember, (seat.space.id, found.id))
    if role is None or found.external:
        message = _("%(name)s is no member of this space.", name=found.display_name)
        raise BadInput(message, remedy=_("Add them first."), fields={field: message})
    return found.id
