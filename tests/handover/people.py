"""An organisation, and what its people do in it; loaded by the conftest as ``handover_people``."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from sqlalchemy import select

from rse_core import organisation, people, roles
from rse_core.api import Actor, utcnow
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting
from rse_feed.texts import Written
from rse_kanban import boards, cards
from rse_kanban.models import Column
from rse_kanban.placing import Place


def furnish(core):
    """The organisation; ``lea`` is still there."""
    set_level(core, "cocreate")
    entity = make_entity(core, "north", name="Caisse du Nord")
    south = make_entity(core, "south", name="Caisse du Sud")
    there = SimpleNamespace(core=core, entity=entity, south=south)
    for name, label in (
        ("lea", "Léa Partie"), ("tom", "Tom Reprend"), ("ada", "Ada Site"), ("eve", "Ève Entité"), ("olga", "Olga Owner"),
        ("max", "Max Modère"), ("sam", "Sam Ailleurs"), ("zoe", "Zoé Sud"),
    ):  # fmt: skip
        setattr(there, name, make_person(core, name, name=label, entity=south if name == "zoe" else entity))
    there.ext = make_person(core, "ext", name="Ext Dehors", external=True)
    there.garden = make_space(core, "garden", name="Le jardin", members=[there.tom, there.sam], managers=[there.lea])
    there.vault = make_space(
        core, "vault", name="Le coffre", visibility="secret", members=[there.lea, there.tom], managers=[there.olga]
    )
    with core.db.write() as session:
        roles.grant(session, there.ada.id, "site_admin", actor=Actor("test"))
        roles.grant(session, there.eve.id, "entity_admin", scope="entity", scope_id=entity.id, actor=Actor("test"))
        roles.grant(session, there.zoe.id, "entity_admin", scope="entity", scope_id=south.id, actor=Actor("test"))
        organisation.join_space(session, there.garden.id, there.max.id, "moderator")
        organisation.join_space(session, there.garden.id, there.ext.id, "external")
    return there


def write(there, person, body, audience="space:garden", **values):
    """A post; its id."""
    with there.core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post.id


def card(there, person, board_id, title, people=()):
    """A card on which these people work; its id."""
    with there.core.db.write() as session:
        column = session.scalars(select(Column.id).where(Column.board_id == board_id).order_by(Column.position)).first()
        written = cards.Written(title=title, people=[one.id for one in people])
        return cards.create(session, person.id, Place(column), written).id


def board(there, person, title, place="space:garden"):
    """A board; its id."""
    with there.core.db.write() as session:
        return boards.create(session, person.id, place, title).id


def leave(there, person):
    """Somebody leaves the organisation."""
    with there.core.db.write() as session:
        people.disable(session, person.id)


def as_actor(person):
    """Who acts."""
    return Actor(person.username, person.id)


def leave_all(made):
    """What Léa leaves: posts published, planned and drafted in the garden that she owned, one in the vault, one for all."""
    made.posts = [write(made, made.lea, "Bonjour"), write(made, made.lea, "Au revoir")]
    soon = (utcnow() + dt.timedelta(days=30)).isoformat(timespec="minutes")
    made.planned = write(made, made.lea, "Demain", act="schedule", publish_at=soon, publish_zone="Europe/Paris")
    made.draft = write(made, made.lea, "Secret de Léa", act="draft")
    made.hidden_away = write(made, made.lea, "Chut", audience="space:vault")
    made.public = write(made, made.lea, "À tout le monde", audience="everyone")
    made.board = board(made, made.lea, "Semis")
    made.own_board = board(made, made.lea, "À moi", place="me")
    made.card = card(made, made.lea, made.board, "Semer", [made.lea])
    made.shared_card = card(made, made.lea, made.board, "Arroser", [made.lea, made.tom])
    leave(made, made.lea)
    return made
