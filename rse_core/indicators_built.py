"""The core's own indicators, and all of them together: each with its definition and its denominator in words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from .contributions import Indicator
from .errors import NotFound
from .i18n import _, lazy

if TYPE_CHECKING:
    from .runtime import Core

#: In place of an event's name: somebody was here that day.
VISIT = "core.visit"
#: Somebody opened a file of a text, or a publication of the intranet that a source lists.
OPENED = "core.document_opened"
REACTED, COMMENTED, POSTED = "likes.reacted", "comments.published", "feed.published"
CONNECTION, ENGAGEMENT, CONTRIBUTION = "connection_rate", "engagement_rate", "contribution_rate"
HABIT, CHARTER, ANSWERS, COMMUNITIES = "habit", "charter_acceptance", "answer_time", "active_communities"
DOCUMENTS = "documents_opened"

STAFF = lazy("The staff of the place, at the end of the month before the one in which the period ends.")

BUILT_IN = (
    Indicator(
        CONNECTION, lazy("Connection rate"),
        lazy("People who came at least once in the period. At every level, “inform” included."), (VISIT,), STAFF,
    ),
    Indicator(
        ENGAGEMENT, lazy("Engagement rate"),
        lazy("People with at least one reaction or published comment in the period. What was withdrawn later still counts."),
        (REACTED, COMMENTED), STAFF,
    ),
    Indicator(
        CONTRIBUTION, lazy("Wider contribution rate"),
        lazy("People with at least one act in the period that any indicator counts: reaction, comment, post, joining …"),
        (REACTED, COMMENTED, POSTED), STAFF,
    ),
    Indicator(
        DOCUMENTS, lazy("Documents opened"),
        lazy("People who opened at least one document in the period: a file of a text, or a publication of the intranet "
             "that a source of its content lists. Which one is not kept."),
        (OPENED,), STAFF,
    ),
    Indicator(
        HABIT, lazy("Measured habit"),
        lazy("Working days on which people came, added up, month by month: Monday to Friday, without the holidays of their "
             "entity's calendar, or else of the site's."),
        (VISIT,),
        lazy("The staff of the place at the end of the month before, times the working days of the period, month by month."),
    ),
    Indicator(
        CHARTER, lazy("Charter acceptance"),
        lazy("People who had accepted the version of the charter in force at the end of the period."), (), STAFF,
    ),
    Indicator(
        ANSWERS, lazy("Answered within a day"),
        lazy("Posts of the period to which somebody else published a comment within 24 hours; beside it the median time. "
             "Hours of days that are no working days where the writer works are left out."),
        (POSTED, COMMENTED), lazy("Posts of the period, by the entity of those who wrote them."),
    ),
    Indicator(
        COMMUNITIES, lazy("Active communities"),
        lazy("Spaces with at least one post or comment in the period."), (POSTED, COMMENTED),
        lazy("Spaces that were open at the end of the period."), counts="spaces",
    ),
)  # fmt: skip
#: What needs another way of counting than “people with such an event”.
SPECIAL = frozenset({HABIT, CHARTER, ANSWERS})


def told_by_space(indicator: Indicator) -> bool:
    """Whether it can be told by space: acts that are done there, of people."""
    return not (
        indicator.counts != "people" or indicator.name in SPECIAL or VISIT in indicator.events
        or indicator.eligible is not None or indicator.ever
    )  # fmt: skip


def all_of(core: Core) -> dict[str, Indicator]:
    """Every indicator by name, the core's own first."""
    own = {one.name: one for one in BUILT_IN}
    return own | {one.name: one for _plugin, one in core.plugins.contributions(Indicator)}


def one(core: Core, name: str) -> Indicator:
    """An indicator by its name.

    :raises NotFound: names the nearest.
    """
    known = all_of(core)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        raise NotFound(
            _("There is no indicator “%(name)s”.", name=name[:80]),
            remedy=_("Did you mean “%(near)s”?", near=near[0]) if near else _("There are: %(all)s.", all=", ".join(known)),
        )
    return known[name]


def events_of(core: Core, indicator: Indicator) -> tuple[str, ...]:
    """The events that an indicator counts; the wider contribution counts those of every other too."""
    if indicator.name != CONTRIBUTION:
        return indicator.events
    plugins = [event for _plugin, found in core.plugins.contributions(Indicator) for event in found.events]
    return tuple(dict.fromkeys((*indicator.events, *plugins)))


def counted(core: Core) -> tuple[str, ...]:
    """Every event that some indicator counts, visits aside."""
    names = [event for indicator in all_of(core).values() for event in indicator.events if event != VISIT]
    return tuple(dict.fromkeys(names))
