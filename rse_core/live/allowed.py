"""Who may listen to what: asked when a page begins to listen, and again while it does. A refused topic is as an unknown one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from .. import sessions
from ..contributions import LiveTopic
from ..cursor import NOWHERE, plugin_on
from ..errors import BadInput
from ..i18n import _
from ..models.organisation import Person
from . import is_topic
from .bell import TOPICS
from .hub import Opening

if TYPE_CHECKING:
    from ..runtime import Core

log = logging.getLogger("rse.live")
HOOK = "rse_live_topics"
#: Topics of one page.
MOST = 50


def wanted(asked: Iterable[str]) -> list[str]:
    """What was asked for, once each, without what cannot be a topic.

    :raises BadInput: for more than a page can have.
    """
    found = list(dict.fromkeys(asked))
    if len(found) > MOST:
        raise BadInput(_("A page listens to %(most)s topics at most.", most=str(MOST)))
    return [topic for topic in found if is_topic(topic)]


def topics(core: Core, session: Session, person_id: int, asked: Iterable[str]) -> dict[str, frozenset[str]]:
    """Of these topics, those that the person may listen to, each with the topics by whose changes it changes."""
    known = {topic.name: ("", topic) for topic in TOPICS}
    known |= {topic.name: (plugin, topic) for plugin, topic in core.plugins.contributions(LiveTopic)}
    found: dict[str, frozenset[str]] = {}
    for name in asked:
        kind, _colon, ident = name.partition(":")
        if kind not in known:
            continue
        plugin, topic = known[kind]
        if plugin and not _is_on(core, plugin, person_id):
            continue
        heard = _ask(core, session, plugin, topic, person_id, name, ident)
        if heard:
            found[name] = heard
    return found


def _ask(
    core: Core, session: Session, plugin: str, topic: LiveTopic, person_id: int, name: str, ident: str
) -> frozenset[str]:
    if core.plugins.breaker.is_muted(plugin, HOOK):
        return frozenset()
    try:
        if not topic.may_listen(session, person_id, ident):
            return frozenset()
        return frozenset([name] if topic.stands_for is None else topic.stands_for(session, person_id, ident))
    except OperationalError:
        raise  # the database is to blame, and no plugin
    except Exception:  # isolation point: what cannot be said is taken to be no
        if core.settings.strict:
            raise
        log.exception("plugin %s: who may listen to %s cannot be said", plugin or "core", topic.name)
        core.plugins.breaker.failed(plugin, HOOK)
        return frozenset()


def _is_on(core: Core, plugin: str, person_id: int) -> bool:
    state = core.plugins.states[plugin]
    if state.kind == "adapter":
        return state.status == "on"
    person = core.policy.person(person_id)
    return state.status == "on" and person is not None and plugin_on(core.policy.snapshot(), plugin, person, NOWHERE)[0]


def examine(core: Core, opening: Opening, heard: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """What a stream may go on hearing; nothing when its session is over or its person has left."""
    with core.db.read() as session:
        if opening.text:
            row = sessions.current(session, opening.text)
            if row is None or row.person_id != opening.person_id:
                return {}
        elif session.scalar(select(Person.status).where(Person.id == opening.person_id)) != "active":
            return {}
        return topics(core, session, opening.person_id, heard)
