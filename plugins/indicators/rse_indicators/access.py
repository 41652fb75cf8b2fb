"""Who may see which figures: the site's administrators all, an entity's its branch, who runs a space that space; ambassadors
and managers the counts of their wave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from rse_core import wave_figures
from rse_core.api import Forbidden, NotFound, core_of, option, translator
from rse_core.audiences import of_space, sees
from rse_core.cursor import MANAGING_ROLES
from rse_core.delegation import rights_of
from rse_core.models.organisation import EntityPath, Group, Person, RoleGrant, Space, SpaceMember

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_ = translator(__file__, "rse_indicators").gettext
AMBASSADORS = "indicators.ambassadors"


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see. ``entities``: with all below them. ``wave``: counts of it alone."""

    person_id: int
    site: bool = False
    entities: frozenset[int] = frozenset()
    spaces: frozenset[int] = frozenset()
    wave: str = ""

    def __bool__(self) -> bool:
        return bool(self.site or self.entities or self.spaces or self.wave)

    @property
    def administers(self) -> bool:
        """Whether there is more to see than one's own spaces and wave."""
        return self.site or bool(self.entities)

    @property
    def ways(self) -> tuple[str, ...]:
        """In which ways figures can be divided for them."""
        if self.site:
            return ("site", "entity", "wave", "level", "group", "space")
        return (("entity",) if self.entities else ()) + (("space",) if self.spaces else ())

    def targets(self, by: str) -> frozenset[str] | None:
        """The places of one kind that they may see; None for all of them.

        :raises Forbidden: when that is none.
        """
        if self.site and by != "space":
            return None
        if by not in self.ways:
            raise Forbidden(_("These figures are not for you."), remedy=_("Ask a site administrator."))
        if by == "space":
            return frozenset(str(one) for one in self.spaces)
        return frozenset(str(one) for one in self.entities)


def sight_of(session: Session, person_id: int) -> Sight:
    """What this person may see; false when that is nothing."""
    rights = rights_of(session, person_id)
    below: set[int] = set()
    if rights.entities:
        below = set(session.scalars(select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(rights.entities))))
    spaces = frozenset(_spaces(session, person_id, everything=rights.site))
    return Sight(person_id, rights.site, frozenset(below), spaces, _wave(session, person_id))


def _spaces(session: Session, person_id: int, *, everything: bool) -> set[int]:
    mine = select(SpaceMember.space_id).where(SpaceMember.person_id == person_id, SpaceMember.role.in_(MANAGING_ROLES))
    granted = select(RoleGrant.scope_id).where(
        RoleGrant.person_id == person_id, RoleGrant.scope == "space", RoleGrant.role == "animator"
    )
    runs = or_(Space.id.in_(mine), Space.id.in_(granted))
    # Of a secret space nobody hears who does not run it, whatever else they administer.
    wanted = or_(runs, Space.visibility != "secret") if everything else runs
    return set(session.scalars(select(Space.id).where(wanted, Space.merged_into.is_(None))))


def _wave(session: Session, person_id: int) -> str:
    """The wave of a manager or an ambassador; "" for others, and for those in none."""
    facts = core_of(session).policy.person(person_id)
    if facts is None:
        return ""
    group = session.scalar(select(Group.id).where(Group.key == option(session, AMBASSADORS)))
    manages = session.scalar(select(Person.is_manager).where(Person.id == person_id))
    if not manages and group not in facts.groups:
        return ""
    return wave_figures.wave_of(session, core_of(session), person_id)


def runs(session: Session, person_id: int, space_id: int) -> bool:
    """Whether this person runs the space; from memory."""
    facts = core_of(session).policy.person(person_id)
    if facts is None or facts.disabled_at is not None:
        return False
    return facts.spaces.get(space_id) in MANAGING_ROLES or ("animator", "space", space_id) in facts.roles


def space_run(session: Session, person_id: int, key: str) -> Space:
    """A space that this person runs.

    :raises NotFound: for one that does not exist, or of which they may not know.
    :raises Forbidden: for any other.
    """
    space = session.scalar(select(Space).where(Space.key == key, Space.merged_into.is_(None)))
    if space is not None and runs(session, person_id, space.id):
        return space
    if space is None or not sees(session, person_id, of_space(session, space.id)):
        raise NotFound(_("There is no such space here."))
    raise Forbidden(_("These figures are for those who run the space."))


def require_sight(session: Session, person_id: int) -> Sight:
    """As :func:`sight_of`.

    :raises Forbidden: when there is nothing to see.
    """
    found = sight_of(session, person_id)
    if not found:
        raise Forbidden(
            _("Figures are for administrators, for those who run a space, for managers and for ambassadors."),
            remedy=_("If you should be one of them, ask a site administrator."),
        )
    return found


def administers(session: Session, person_id: int) -> bool:
    """Whether the pages of figures are for this person; from memory, for the navigation."""
    facts = core_of(session).policy.person(person_id)
    return facts is not None and any(
        (role, scope) in (("site_admin", "site"), ("entity_admin", "entity")) for role, scope, _ident in facts.roles
    )


def sees_something(session: Session, person_id: int) -> bool:
    """Whether there are figures for this person on a page of their own."""
    return bool(sight_of(session, person_id))
