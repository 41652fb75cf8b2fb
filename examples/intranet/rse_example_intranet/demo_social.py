"""The communities and posts of the demo: those of ``spaces.csv`` and ``posts.csv``, made through the services."""

from __future__ import annotations

import csv
import datetime as dt
from importlib.resources import files
from random import Random

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rse_comments import service as comments
from rse_communities import creating, framing, joining, members
from rse_communities.models import Profile
from rse_core import levelsets, people
from rse_core.api import Actor, Level, ObjectRef, can, utcnow
from rse_feed import acting, drafting
from rse_feed.models import Entry, Post
from rse_feed.texts import Written
from rse_likes import service as likes

#: Who makes the communities of the demo, and hands each over to its owner.
MAKER = "hugo.sabatier"
#: In these the members of every entity may post, whatever the level of their entity, under its ceiling.
OPENED = ("accueil-du-public", "accessibilite", "prevention")
SHEET = {"posts": "members", "likes": "all", "comments": "all", "moderates": "after"}
ANSWERS = (
    ("Deux places pour la formation « écrire simplement »", "ines.garrigou", "Je prends la première, merci."),
    ("Contrastes : un outil en trois clics", "capucine.crepin", "Adopté pour toutes nos affiches."),
    ("Une question sur les accompagnants", "djibril.traore", "Nous demandons l’accord de vive voix, et nous le notons."),
)
PINNED = (
    ("Vidéo sous-titrée : la liste de contrôle", "capucine.crepin"),
    ("Calendrier de la bascule", "samia.kaced"),
)


def make_spaces(session: Session, actor: Actor) -> dict[str, str]:
    """Make, frame and open the communities, each with its members under its own owner.

    :returns: the key that each got, by the key in the file.
    """
    maker = people.by_username(session, MAKER).id
    keys: dict[str, str] = {}
    for row in rows("spaces.csv"):
        space = creating.create(
            session, maker, name=row["name"], kind=row["kind"], purpose=row["description"], visibility=row["visibility"]
        )
        keys[row["key"]] = space.key
        owner = people.by_username(session, row["owner"]).id
        members.add(session, maker, space.key, row["owner"])
        members.set_role(session, maker, space.key, owner, "owner")
        for username in row["members"].split():
            members.add(session, maker, space.key, username)
        answers = {**SHEET, "purpose": row["description"], "contact": row["owner"]}
        framing.save(session, maker, space.key, answers)
        framing.open_space(session, maker, space.key)
        if row["visibility"] != "secret":
            creating.change(session, maker, space.key, join_policy=row["join"])
        joining.leave(session, maker, space.key)
        if row["key"] in OPENED:
            where = levelsets.locate(session, "space", space.key)
            levelsets.place(session, where, Level.CONTRIBUTE, actor=actor, why="Les membres publient entre eux.")
    return keys


def opened_before(session: Session, since: dt.timedelta) -> None:
    """Put the opening of the communities back to when the cursor was first moved, a day apart."""
    for place, profile in enumerate(session.scalars(select(Profile).order_by(Profile.space_id))):
        at = utcnow() - since + dt.timedelta(days=place + 1)
        profile.opened_at = at
        session.execute(
            update(Entry).where(Entry.ref_type == "communities.space", Entry.ref_id == str(profile.space_id))
            .values(created_at=at, last_activity=at)
        )  # fmt: skip


def post(session: Session, keys: dict[str, str]) -> dict[str, int]:
    """Let the people of ``posts.csv`` post, each at a time of their own in the past weeks.

    :returns: the post of each title.
    """
    made: dict[str, int] = {}
    for place, row in enumerate(rows("posts.csv")):
        scope, _, key = row["audience"].partition(":")
        audience = f"space:{keys[key]}" if scope == "space" else row["audience"]
        announcement = row["kind"] == "announcement"
        written = Written(
            body=row["text"], title=row["title"], audience=audience, announcement=announcement, must_read=announcement,
            topics=tuple(filter(None, row["topics"].split())),
        )  # fmt: skip
        kept = drafting.write(session, people.by_username(session, row["author"]).id, written).post
        at = utcnow() - dt.timedelta(days=int(row["days_ago"]), minutes=13 * place)
        kept.created_at = kept.updated_at = kept.published_at = at
        session.flush()
        session.execute(
            update(Entry).where(Entry.ref_type == "feed.post", Entry.ref_id == str(kept.id))
            .values(created_at=at, last_activity=at)
        )  # fmt: skip
        made[row["title"]] = kept.id
    return made


def pin(session: Session, posts: dict[str, int]) -> None:
    """Those who run a community keep what is always asked for at its head."""
    for title, username in PINNED:
        actor = Actor(username, person_id=people.by_username(session, username).id)
        acting.pin(session, actor, posts[title])


def answer(session: Session, posts: dict[str, int], usernames: list[str]) -> None:
    """Some answers and reactions, by those who see each post and may."""
    for title, username, text in ANSWERS:
        author, post = people.by_username(session, username).id, session.get_one(Post, posts[title])
        comment = comments.write(session, author, ObjectRef("feed.post", str(post.id)), text)
        comment.created_at = (post.published_at or post.created_at) + dt.timedelta(hours=5)
    random = Random(2026)  # noqa: S311 - invented reactions, not secrets
    kinds = [kind.key for kind in likes.offered(session)]
    everybody = [people.by_username(session, username).id for username in usernames]
    for post_id in posts.values():
        ref = ObjectRef("feed.post", str(post_id))
        for person_id in random.sample(everybody, 14):
            mine = session.get_one(Post, post_id).author_id == person_id
            if not mine and can(session, person_id, likes.CAPABILITY, ref).allowed:
                likes.react(session, person_id, ref, random.choice(kinds))


def rows(name: str) -> list[dict[str, str]]:
    """What a file of the demo's data has in it; texts may go over several lines."""
    source = (files(__package__) / "data" / name).read_text("utf-8")
    return list(csv.DictReader(source.splitlines(keepends=True)))
