"""First steps in the demo: who was shown what their level opened, who has come, and a tutorial of the site's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_comments.models import Comment
from rse_core import people
from rse_core.api import Actor, utcnow
from rse_core.models.runtime import Visit
from rse_likes.models import Reaction
from rse_onboarding import editing, standing

#: Those who were not shown yet what has opened to them: the bar stands on their pages.
NEW = ("maelle.quintin", "emma.nguyen")
#: Who writes for the site.
WRITER = "solene.kerbrat"
TUTORIAL = editing.Draft(
    "Répondre à une question d’un autre service",
    "Une question posée sous un article s’adresse à qui sait, pas à qui dirige.\n\n"
    "1. Vérifiez que personne n’a déjà répondu.\n"
    "2. Répondez en deux phrases, avec un lien vers la page de référence.\n"
    "3. Si vous ne savez pas, nommez avec **@** la personne qui sait.\n",
    2, locale="fr", order=30,
)  # fmt: skip


def take(session: Session, opened: dt.timedelta, usernames: Iterable[str]) -> None:
    """Note it all.

    :param opened: how long ago the cursor was first moved.
    """
    for username in usernames:
        if username not in NEW:
            standing.acknowledge(session, people.by_username(session, username).id)
    active = {*session.scalars(select(Comment.author_id)), *session.scalars(select(Reaction.person_id))} - {None}
    day = (utcnow() - opened).date()
    session.add_all([Visit(day=day, person_id=int(person or 0)) for person in sorted(active, key=lambda one: one or 0)])
    writer = people.by_username(session, WRITER)
    editing.add(session, Actor(WRITER, writer.id), TUTORIAL)
