"""For whom a post may be: the audiences that its author is in, by the words that forms and programs use for them.

``everyone``, ``entity:KEY`` (the author's own and those above), ``group:KEY``, ``space:KEY`` (who sees that space) and, in a
public space, ``members:KEY``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from rse_core import audiences
from rse_core.api import BadInput, Decision, Reason, Target, can, core_of, current_locale, translator
from rse_core.models.organisation import Audience, Entity, Group, Membership, Space

from . import access

_t = translator(__file__, "rse_feed")
_ = _t.gettext
_ORDER = {"everyone": 0, "entity": 1, "group": 2, "space": 3, "members": 4}


@dataclass(frozen=True, slots=True)
class Choice:
    """One audience to choose. ``kind``: everyone, entity, group, space or members."""

    key: str
    label: str
    kind: str
    audience_id: int
    space_id: int | None = None
    space_key: str = ""

    @property
    def target(self) -> Target:
        """What the rules are asked about."""
        return Target(self.audience_id, space_id=self.space_id)


def all_of(session: Session, person_id: int) -> list[Choice]:
    """The audiences that the person is in, whether or not they may post there; one query."""
    policy = core_of(session).policy
    everyone = policy.everyone()
    facts = policy.person(person_id)
    path = policy.snapshot().paths.get(facts.entity_id or 0, ()) if facts else ()
    rows = session.execute(
        select(
            Audience.id, Audience.kind, Audience.target_id, Entity.key, Entity.name, Group.key, Group.name, Space.key,
            Space.name, Space.visibility, Space.archived_at,
        )
        .outerjoin(Entity, (Audience.kind == "entity") & (Entity.id == Audience.target_id))
        .outerjoin(Group, (Audience.kind == "group") & (Group.id == Audience.target_id))
        .outerjoin(Space, (Audience.kind == "space") & (Space.id == Audience.target_id))
        .where(Audience.id.in_(audiences.visible(person_id)))
    )  # fmt: skip
    found: list[tuple[tuple[int, int, str], Choice]] = []
    for ident, kind, target, e_key, e_name, g_key, g_name, s_key, s_name, visibility, archived in rows:
        if kind == "everyone":
            found.append(((0, 0, ""), Choice("everyone", _("Everyone"), kind, ident)))
        elif kind == "entity":
            place = path.index(target) if target in path else len(path)
            found.append(((1, place, ""), Choice(f"entity:{e_key}", e_name, kind, ident)))
        elif kind == "group":
            found.append(((2, 0, g_name), Choice(f"group:{g_key}", g_name, kind, ident)))
        elif kind == "space" and archived is None:
            public = visibility == "public"
            audience = everyone if public else ident
            found.append(((3, 0, s_name), Choice(f"space:{s_key}", s_name, kind, audience, target, s_key)))
            if public:
                label = _("%(space)s, its members only", space=s_name)
                found.append(((3, 1, s_name), Choice(f"members:{s_key}", label, "members", ident, target, s_key)))
    return [choice for _place, choice in sorted(found, key=lambda one: one[0])]


def choices(session: Session, person_id: int) -> list[Choice]:
    """Those for which the person may post now: everyone, entities (the nearest first), groups, spaces.

    Remembered with the person's facts, unless a plugin has a say in decisions; at most two seconds old.
    """
    core = core_of(session)

    def make() -> tuple[Choice, ...]:
        found = all_of(session, person_id)
        asked = ((choice, can(session, person_id, access.POST, choice.target)) for choice in found)
        # Who has only the charter still to accept is shown the form: its boxes stand in it.
        return tuple(choice for choice, may in asked if may.allowed or may.reason is Reason.CHARTER)

    if core.plugins.decides or not session.info.get("rse_reading"):
        return list(make())
    return list(core.policy.kept(session, person_id, ("feed.choices", current_locale()), make))


def options(session: Session, person_id: int, chosen: str) -> Markup:
    """:func:`choices` as the options of a select: some people have hundreds, on a page that is asked for all day."""
    core = core_of(session)

    def make() -> str:
        line = Markup('<option value="{}">{}</option>')
        return "".join(line.format(one.key, one.label) for one in choices(session, person_id))

    if core.plugins.decides or not session.info.get("rse_reading"):
        made = make()
    else:
        made = core.policy.kept(session, person_id, ("feed.options", current_locale()), make)
    value = f'value="{escape(chosen)}"'
    return Markup(made.replace(f"{value}>", f"{value} selected>", 1))  # noqa: S704  escaped above, each in its place


def of_space(session: Session, person_id: int, space_key: str) -> list[Choice]:
    """The choices within one space, its default first."""
    return [choice for choice in all_of(session, person_id) if choice.space_key == space_key]


def find(session: Session, person_id: int, key: str) -> Choice:
    """The choice of this key, among the person's own.

    :raises BadInput: for any other; it says the same of an audience that does not exist and of one they are not in.
    """
    for choice in all_of(session, person_id):
        if choice.key == key:
            return choice
    if not key:
        raise BadInput(_("Say for whom it is."), fields={"audience": _("Choose one.")})
    raise BadInput(
        _("“%(key)s” is none of the audiences that you belong to.", key=key[:80]),
        fields={"audience": _("Choose one of yours.")},
    )


def default(offered: Sequence[Choice], space_key: str | None = None) -> Choice | None:
    """What is chosen before the author chooses: the space's own audience; elsewhere the nearest entity, then what is there.

    Never what was chosen last time: nobody posts to everyone because they did so yesterday.
    """
    if space_key is not None:
        return next((choice for choice in offered if choice.space_key == space_key), None)
    return next((choice for choice in offered if choice.kind == "entity"), offered[0] if offered else None)


def key_of(session: Session, audience_id: int, space_id: int | None) -> str:
    """The word for an audience as a post has it; one query."""
    row = session.execute(
        select(Audience.kind, Entity.key, Group.key)
        .outerjoin(Entity, (Audience.kind == "entity") & (Entity.id == Audience.target_id))
        .outerjoin(Group, (Audience.kind == "group") & (Group.id == Audience.target_id))
        .where(Audience.id == audience_id)
    ).first()
    kind = row[0] if row else "everyone"
    if space_id is not None:
        key, visibility = session.execute(select(Space.key, Space.visibility).where(Space.id == space_id)).one()
        return f"{'members' if kind == 'space' and visibility == 'public' else 'space'}:{key}"
    if row is None or kind == "everyone":
        return "everyone"
    return f"{kind}:{row[1] if kind == 'entity' else row[2]}"


def space_key(session: Session, space_id: int) -> str:
    """The key of a space; one query."""
    return session.scalar(select(Space.key).where(Space.id == space_id)) or ""


def widens(session: Session, before: int, after: int) -> bool:
    """Whether somebody would see it who did not before; one query that stops at the first."""
    if before == after:
        return False
    seen, sees = aliased(Membership), aliased(Membership)
    saw = exists().where(seen.audience_id == before, seen.person_id == sees.person_id)
    return session.scalar(select(sees.person_id).where(sees.audience_id == after, ~saw).limit(1)) is not None


def may_post(session: Session, person_id: int, choice: Choice) -> Decision:
    """May the person post for this audience now?"""
    return can(session, person_id, access.POST, choice.target)
