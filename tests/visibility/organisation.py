"""A random organisation, made twice: in the core, through its services, and in the slow model, by its sentences."""

from __future__ import annotations

import datetime as dt
import random

import visibility_model as model
from sqlalchemy import func, select
from visibility_boards_making import Maker
from visibility_model import (
    COCREATE,
    COMMENT,
    CONTRIBUTE,
    EVERYONE,
    INFORM,
    REACT,
    Comment,
    Page,
    Person,
    Post,
    Space,
    Told,
    World,
)

from rse_comments import service as comments
from rse_core import audiences, moderation, organisation, people, places, roles, spaces
from rse_core.api import Actor, Event, ObjectRef, defer, emit, utcnow
from rse_core.models.content import Page as PageRow
from rse_core.models.governance import Held
from rse_core.models.runtime import Delivery
from rse_core.testing.organisation import make_entity, make_group, make_person, set_level
from rse_feed import acting, drafting, publishing, subscriptions, topics
from rse_feed.texts import Written

ADMIN = Actor("visibility")
#: In everything that anybody writes here, so that one search finds all of it.
COMMON = "zibeline"
TOPICS = ("tango", "valse", "polka", "gavotte", "bourree")
_LETTERS = "bcdfghjklm"


def word(kind: str, number: int) -> str:
    """A word that stands nowhere else, is no beginning of another one, and no slip away from one."""
    digits = "".join(_LETTERS[int(digit)] * 2 for digit in f"{number:04d}")
    return f"q{kind * 2}{digits}x"


class Site:
    """One organisation in both worlds. ``world`` is the model's; names and keys are the same in both."""

    def __init__(self, core, seed: int) -> None:
        self.core, self.seed, self.rng, self.world = core, seed, random.Random(seed), World()
        self.entity, self.group, self.space, self.person = {}, {}, {}, {}
        self.tokens: dict[tuple[str, str | None], str] = {}
        self.known_topics: set[tuple[str, str]] = set()
        self.moment = 0.0
        self.began = utcnow()

    # -- the organisation -------------------------------------------------------------------------------------------------

    def build(self, posts: int = 110, remarks: int = 80) -> None:
        self._entities()
        self._groups_and_spaces()
        self._people()
        self._levels()
        self.run()
        self.began = utcnow()
        self._pages()
        self._opened()
        early = self._follow()
        for number in range(posts):
            self._post(number)
        self.run()
        self._told_of_posts(early)
        self._decide()
        for number in range(remarks):
            self._comment(number)
        self.run()
        self._told_of_comments()
        self._acts()
        self._ends()
        Maker(self, word, COMMON).build()
        self._subscribe()
        self.run()

    def run(self) -> None:
        """Everything that follows from what was done: jobs and consumers, to their end."""
        with self.core.db.write() as session:
            defer(session, "search.people", key=f"search.people:{self.tick()}")
        while self.core.jobs.run_due():
            pass
        with self.core.db.read() as session:
            assert session.scalar(select(func.count()).where(Delivery.state != "done")) == 0

    def tick(self) -> float:
        self.moment += 1.0
        return self.moment

    def id(self, name: str) -> int:
        return self.person[name].id

    def actor(self, name: str) -> Actor:
        return Actor(name, self.id(name))

    def _entities(self) -> None:
        for number in range(7):
            key = f"e{number}"
            parent = None if number in (0, 6) else f"e{self.rng.randrange(min(number, 3))}"
            self.world.parents[key] = parent
            self.entity[key] = make_entity(self.core, key, name=f"Service {key}", parent=self.entity.get(parent))

    def _groups_and_spaces(self) -> None:
        for key in ("g0", "g1", "g2"):
            self.world.groups.append(key)
            self.group[key] = make_group(self.core, key, name=f"Groupe {key}")
        kinds = ["public"] * 4 + ["listed"] * 3 + ["secret"] * 3
        with self.core.db.write() as session:
            for number, visibility in enumerate(kinds):
                key = f"s{number}"
                name = f"Cercle {word('s', number)}"
                self.world.spaces[key] = Space(key, word("s", number), visibility)
                self.space[key] = organisation.add_space(session, key, name, visibility=visibility)
            rule = self._rule(session)
            rule("s1", "feed.read", "members")
            rule(self.rng.choice(("s4", "s5")), "feed.read", "managers")
            rule(self.rng.choice(("s2", "s3", "s7")), "comments.write", self.rng.choice(("members", "managers", "nobody")))
            for key in ("s2", "s5", "s9"):
                self.world.spaces[key].notify = "mentions"
                spaces.set_notify(session, self.space[key].id, "mentions", actor=ADMIN)
            self.world.spaces["s7"].reviewed = True
            moderation.review(session, "space", self.space["s7"].id, True, actor=ADMIN, subject="space:s7")

    def _rule(self, session):
        def rule(space: str, capability: str, who: str) -> None:
            self.world.spaces[space].rules[capability] = who
            organisation.set_space_rule(session, self.space[space].id, capability, who)

        return rule

    def _people(self) -> None:
        rng = self.rng
        for number in range(26):
            name, outside = f"p{number:02d}", number % 6 == 5
            entity = None if number % 9 == 7 else rng.choice(list(self.entity))
            groups = set(rng.sample(self.world.groups, rng.choice((0, 1, 1, 2))))
            inside = rng.sample(list(self.world.spaces), rng.randrange(1 if outside else 0, 6))
            ranks = ("member", "member", "writer", "moderator", "admin")
            roles_there = {key: "external" if outside else rng.choice(ranks) for key in inside}
            unique = word("p", number)
            self.world.people[name] = Person(name, unique, entity, groups, roles_there, external=outside)
            # Of its own draw, so that what a seed stands for does not change with it.
            apart = random.Random(f"{self.seed} {number}")
            beside = apart.sample(list(self.entity), 1) if apart.random() < 0.25 else []
            self.world.people[name].beside = tuple(one for one in beside if one != entity)
            self.person[name] = make_person(
                self.core, name, name=f"Camille {unique}", entity=self.entity.get(entity), external=outside,
                groups=[self.group[key] for key in groups],
            )  # fmt: skip
        with self.core.db.write() as session:
            for name, person in self.world.people.items():
                places.set_others(session, self.id(name), [self.entity[key].id for key in person.beside])
                for key, role in person.spaces.items():
                    organisation.join_space(session, self.space[key].id, self.id(name), role)
            self._grant(session, "p00", "moderator", "site", "")
            self._grant(session, "p01", "moderator", "entity", rng.choice(list(self.entity)))
            for key in rng.sample(list(self.world.spaces), 2):
                self._grant(session, "p02", "animator", "space", key)
            self.world.people["p03"].disabled = True
            people.disable(session, self.id("p03"))

    def _grant(self, session, name: str, role: str, scope: str, key: str) -> None:
        ident = {"site": 0, "entity": getattr(self.entity.get(key), "id", 0), "space": getattr(self.space.get(key), "id", 0)}
        roles.grant(session, self.id(name), role, scope=scope, scope_id=ident[scope], actor=ADMIN)
        self.world.people[name].grants.add((role, scope, key))

    def _levels(self) -> None:
        rng = self.rng
        self.level(rng.choice((CONTRIBUTE, CONTRIBUTE, COCREATE)))
        low = rng.sample(list(self.entity), 4)
        for key, level in zip(low, (INFORM, REACT, COMMENT, CONTRIBUTE), strict=True):
            self.level(level, entity=key)
        self.level(rng.choice((COMMENT, CONTRIBUTE)), group="g0")
        self.level(REACT, entity=rng.choice(list(self.entity)), kind="ceiling")
        self.level(rng.choice((INFORM, REACT)), space="s2", kind="cap")
        self.level(CONTRIBUTE, space="s3")
        self.level(CONTRIBUTE, space=rng.choice(("s5", "s8")))
        self.level(rng.choice((REACT, COMMENT)), space=rng.choice(("s0", "s9")), kind="cap")
        self.level(rng.choice((INFORM, COMMENT)), group="g2", kind="cap")
        self.level(rng.choice((REACT, COMMENT)), entity=rng.choice(low), kind="cap")
        self.switch("feed", False, entity=rng.choice([key for key in self.entity if key not in ("e0", *low[3:])]))
        self.switch("comments", False, space=rng.choice(("s0", "s4", "s6")))

    def level(self, level: int, *, kind: str = "level", **where: str) -> None:
        """Give the site, an entity, a group or a space a level, a cap or a ceiling."""
        scope, key = next(iter(where.items()), ("site", ""))
        rows = {"entity": self.entity, "group": self.group, "space": self.space}
        set_level(self.core, level, kind=kind, starts_at=utcnow(), **({scope: rows[scope][key]} if key else {}))
        self.world.levels[kind, scope, key] = level

    def switch(self, plugin: str, on: bool, **where: str) -> None:
        scope, key = next(iter(where.items()))
        ident = {"entity": self.entity, "group": self.group, "space": self.space}[scope][key].id
        with self.core.db.write() as session:
            self.core.plugins.disable(session, plugin, ADMIN, scope, ident)
        self.world.switches[plugin, scope, key] = on

    def audience(self, session, audience: tuple) -> int:
        kind, key = audience
        if kind == "everyone":
            return audiences.everyone(session)
        rows = {"entity": self.entity, "group": self.group, "space": self.space}[kind]
        return {"entity": audiences.of_entity, "group": audiences.of_group, "space": audiences.of_members}[kind](
            session, rows[key].id
        )

    def _pages(self) -> None:
        """Pages of the intranet: of known audiences, and one of which nobody said for whom it is."""
        choices = [EVERYONE, ("entity", "e0"), ("entity", "e4"), ("group", "g0"), None]
        with self.core.db.write() as session:
            for number, audience in enumerate(choices):
                key, entity = f"/nouvelles/{number}", self.rng.choice([None, *self.entity])
                session.add(
                    PageRow(
                        key=key, address=key, title=f"Page {word('i', number)} {COMMON}", published_at=utcnow(),
                        audience_id=None if audience is None else self.audience(session, audience),
                        entity_id=self.entity[entity].id if entity else None,
                    )
                )  # fmt: skip
                session.flush()
                emit(session, Event("page.published", None, ObjectRef("page", key)))
                self.world.pages.append(Page(key, word("i", number), audience, entity, self.tick()))

    def _opened(self) -> None:
        """The feed tells of some spaces that they opened."""
        for key in ("s0", "s1", "s4", "s5", "s7"):
            with self.core.db.write() as session:
                emit(session, Event("communities.opened", self.id("p04"), organisation.space_ref(self.space[key].id)))
            self.world.opened[key] = self.tick()

    # -- what people write ------------------------------------------------------------------------------------------------

    def audiences_of(self, name: str) -> list[tuple[str, tuple, str | None]]:
        """Where this person may post: the key, the audience and the space."""
        every: list[tuple[str, tuple, str | None]] = [("everyone", EVERYONE, None)]
        every += [(f"entity:{key}", ("entity", key), None) for key in self.world.parents]
        every += [(f"group:{key}", ("group", key), None) for key in self.world.groups]
        for key, space in self.world.spaces.items():
            if model.is_in(self.world, name, ("space", key)):
                every.append((f"space:{key}", model.audience_of(self.world, key), key))
                if space.visibility == "public":
                    every.append((f"members:{key}", ("space", key), key))
        return [one for one in every if model.may(self.world, name, "feed.post", one[1], one[2])]

    def topic(self, space: str | None, name: str) -> tuple[str, str]:
        for place in (space or "", ""):
            if (place, name) in self.known_topics:
                return place, name
        self.known_topics.add((space or "", name))
        return space or "", name

    def _post(self, number: int) -> None:
        rng, world = self.rng, self.world
        places = []
        while not places:
            author = rng.choice(list(world.people))
            places = self.audiences_of(author)
        inside = [one for one in places if one[2]]
        key, audience, space = rng.choice(inside if inside and rng.random() < 0.6 else places)
        act = rng.choices(("publish", "draft", "schedule"), (86, 7, 7))[0]
        unique, about = word("t", number), tuple(rng.sample(TOPICS, rng.choice((0, 0, 1, 2))))
        named = rng.sample(list(world.people), rng.choice((0, 0, 1, 2)))
        announcing = self.may_announce(author, audience, space) and rng.random() < 0.5
        must_read = announcing and rng.random() < 0.6
        body = " ".join([COMMON, unique, *(f"#{topic}" for topic in about), *(f"@{name}" for name in named)])
        later = (utcnow() + dt.timedelta(days=3)).isoformat()
        with self.core.db.write() as session:
            row = drafting.write(
                session, self.id(author),
                Written(
                    body, f"Titre {unique}", key, act, publish_at=later if act == "schedule" else "",
                    announcement=announcing, must_read=must_read,
                ),
            ).post  # fmt: skip
            ident, state = row.id, row.state
        held = space is not None and world.spaces[space].reviewed and not self.passes_review(author, space)
        expected = {"draft": "draft", "schedule": "scheduled"}.get(act, "pending" if held else "published")
        assert state == expected, (author, key, state, expected)
        at = self.tick()
        found = tuple(self.topic(space, topic) for topic in about)
        post = Post(ident, unique, author, audience, space, state, False, found, frozenset(named), announcing, must_read)
        world.posts[ident] = post
        if state == "published":
            self._came(post, at)

    def _came(self, post: Post, at: float) -> None:
        post.came = post.active = at
        post.named = frozenset(name for name in post.named if model.is_in(self.world, name, post.audience))
        if post.must_read:
            self.world.people[post.author].confirmed.add(post.number)

    def may_announce(self, name: str, audience: tuple, space: str | None) -> bool:
        if not model.may(self.world, name, "feed.announce", audience, space):
            return False
        return space is not None or ("moderator", "site", "") in self.world.people[name].grants

    def passes_review(self, name: str, space: str) -> bool:
        return model.runs(self.world, name, space) or ("moderator", "site", "") in self.world.people[name].grants

    def _told_of_posts(self, but: set[int]) -> None:
        for post in self.world.posts.values():
            if post.state == "published" and post.number not in but:
                self._tell(post)

    def _tell(self, post: Post) -> None:
        """Who is told of a post that appears: whom it names; who follows its topic; in a space whose members hear of all,
        the members; of an announcement its whole audience."""
        world, about = self.world, ("post", post.number)
        readers = [name for name in world.people if name != post.author and model.reads(world, name, post)]
        hears = post.space is None or world.spaces[post.space].notify == "all"
        for name in readers:
            if name in post.named:
                world.told.append(Told("feed.mentioned", about, name))
                continue
            if hears and world.people[name].follows & set(post.topics):
                world.told.append(Told("feed.topic", about, name))
            if (
                hears
                and post.space is not None
                and not post.announcement
                and model.is_in(world, name, ("space", post.space))
            ):
                world.told.append(Told("feed.posted", about, name))
        if post.announcement:
            world.told.append(Told("feed.announced", about, None))

    def _follow(self) -> set[int]:
        """Some follow topics of the site, which somebody used before; the posts of those."""
        first = next(name for name in self.world.people if any(one[0] == "everyone" for one in self.audiences_of(name)))
        for topic in TOPICS[:2]:
            with self.core.db.write() as session:
                unique = word("f", TOPICS.index(topic))
                written = Written(f"{COMMON} {unique} #{topic}", f"Titre {unique}", "everyone")
                ident = drafting.write(session, self.id(first), written).post.id
            found = (self.topic(None, topic),)
            post = Post(ident, unique, first, EVERYONE, None, topics=found)
            self.world.posts[ident] = post
            self._came(post, self.tick())
            self._tell(post)
        early = set(self.world.posts)
        self.run()
        for name in self.rng.sample(list(self.world.people), 10):
            known = model.topics_known(self.world, name)
            if known:
                place, topic = self.rng.choice(sorted(known))
                with self.core.db.write() as session:
                    shown = topics.find(session, self.id(name), topic)
                    topics.follow(session, self.id(name), shown.id)
                self.world.people[name].follows.add((place, topic))
        return early

    def _decide(self) -> None:
        """Some of what waits is approved, some refused, some goes on waiting."""
        for post in [one for one in self.world.posts.values() if one.state == "pending"]:
            choice = self.rng.choice(("approve", "approve", "refuse", "wait"))
            if choice == "wait" or post.author == "p00":
                continue
            self._decision(f"{post.number}", choice == "approve")
            if choice == "approve":
                post.state = "published"
                self._came(post, self.tick())
                self._tell(post)
                self.world.told.append(Told("governance.approved", ("post", post.number), post.author))
            else:
                post.state = "refused"
                self.world.told.append(Told("feed.refused", ("post", post.number), post.author))

    def _decision(self, ident: str, approve: bool) -> None:
        with self.core.db.write() as session:
            held = session.scalars(
                select(Held).where(Held.ref_type == "feed.post", Held.ref_id == ident, Held.state == "pending")
            ).one()
            moderation.decide(session, held.id, approve, self.actor("p00"), "" if approve else "hors sujet")
        self.run()

    def _comment(self, number: int) -> None:
        rng, world = self.rng, self.world
        for _attempt in range(60):
            post = rng.choice(list(world.posts.values()))
            writers = [name for name in world.people if model.may_comment(world, name, post)]
            if post.state == "published" and writers:
                break
        else:
            return
        author, unique = rng.choice(writers), word("c", number)
        earlier = [one for one in model.comments_of(world, post)]
        answered = rng.choice(earlier) if earlier and rng.random() < 0.4 else None
        named = rng.sample(list(world.people), rng.choice((0, 0, 0, 1)))
        body = " ".join([COMMON, unique, *(f"@{name}" for name in named)])
        with self.core.db.write() as session:
            row = comments.write(
                session, self.id(author), ObjectRef("feed.post", str(post.number)), body,
                parent_id=answered.number if answered else None,
            )  # fmt: skip
            ident, state = row.id, row.state
        held = post.space is not None and world.spaces[post.space].reviewed and not self.passes_review(author, post.space)
        assert state == ("pending" if held else "published"), (author, post)
        at = self.tick()
        names = frozenset(name for name in named if model.is_in(world, name, post.audience))
        world.comments[ident] = Comment(
            ident, unique, post.number, author, state, answered.number if answered else None, names
        )
        if state == "published":
            post.active = at

    def write(self, number: int) -> None:
        """Another post, and who is told of it."""
        before = set(self.world.posts)
        self._post(number)
        self.run()
        self._told_of_posts(before)

    def remark(self, number: int) -> None:
        """Another comment, and who is told of it."""
        before = set(self.world.comments)
        self._comment(number)
        self.run()
        self._told_of_comments(before)

    def _told_of_comments(self, but: set[int] = frozenset()) -> None:
        """Each is told once, for the nearest reason: named, answered, the author of what is commented on."""
        world = self.world
        for comment in world.comments.values():
            post = world.posts[comment.post]
            if comment.state != "published" or comment.number in but:
                continue
            answered = world.comments.get(comment.answers)
            wanted = [(name, "comments.mentioned", ("comment", comment.number)) for name in sorted(comment.named)]
            if answered is not None:
                wanted.append((answered.author, "comments.replied", ("comment", answered.number)))
            wanted.append((post.author, "comments.commented", ("post", post.number)))
            done = {comment.author}
            quiet = post.space is not None and world.spaces[post.space].notify != "all"
            for name, kind, about in wanted:
                if name not in done and model.sees_comments(world, name, post):
                    done.add(name)
                    if not (quiet and kind == "comments.commented"):
                        world.told.append(Told(kind, about, name, comment.number))

    # -- what is done to it -----------------------------------------------------------------------------------------------

    def _acts(self) -> None:
        """Some posts are closed, archived, hidden, shown again or deleted, some comments deleted."""
        rng, world = self.rng, self.world
        published = [post for post in world.posts.values() if post.state == "published"]
        for post in rng.sample(published, len(published) // 4):
            self.act(post, rng.choice(("lock", "archive", "hide", "hide", "delete", "show")))
        for comment in rng.sample(list(world.comments.values()), len(world.comments) // 10):
            post = world.posts[comment.post]
            if post.state == "published" and model.is_in(world, comment.author, post.audience):
                with self.core.db.write() as session:
                    comments.delete(session, self.id(comment.author), comment.number)
                world.told = [one for one in world.told if one.cause != comment.number]
                comment.state = "deleted"

    def act(self, post: Post, act: str) -> None:
        """Somebody who may does this to a published post."""
        world = self.world
        able = [name for name in world.people if model.reads(world, name, post) and model.moderates(world, name, post)]
        if act in ("lock", "archive", "delete") and not able and model.reads(world, post.author, post):
            able = [post.author]
        if not able:
            return
        name = self.rng.choice(able)
        with self.core.db.write() as session:
            if act == "lock":
                acting.lock(session, self.actor(name), post.number)
                post.locked = True
            elif act == "archive":
                acting.archive(session, self.actor(name), post.number)
                post.state = "archived"
            elif act in ("hide", "show"):
                acting.hide(session, self.actor(name), post.number, "hors charte")
                post.state = "hidden"
            else:
                publishing.delete(session, self.id(name), post.number, reason="doublon")
                post.state = "deleted"
        if act in ("hide", "show", "delete"):
            world.told = [one for one in world.told if not (one.about == ("post", post.number) and one.kind[:4] == "feed")]
        if act in ("hide", "show") and name != post.author:
            world.told.append(Told("feed.hidden", ("post", post.number), post.author))
        if act == "archive":
            world.told = [one for one in world.told if (one.kind, one.about) != ("feed.announced", ("post", post.number))]
        self.run()
        if act == "show":
            with self.core.db.write() as session:
                acting.show(session, self.actor(name), post.number)
            post.state = "published"
            if post.announcement:
                world.told.append(Told("feed.announced", ("post", post.number), None))
            self.run()

    def _ends(self) -> None:
        """One space is archived, after all that was written there."""
        key = self.rng.choice(("s0", "s6", "s9"))
        with self.core.db.write() as session:
            spaces.archive(session, self.space[key].id, actor=ADMIN)
        self.world.spaces[key].archived = True

    def _subscribe(self) -> None:
        """Everybody has the address of their feed, and of one space where they read."""
        for name, person in self.world.people.items():
            if person.disabled:
                continue
            for key in (None, *sorted(self.world.spaces)):
                if key is not None and not model.may(self.world, name, "feed.read", model.audience_of(self.world, key), key):
                    continue
                if key is not None and len([one for one in self.tokens if one[0] == name]) > 2:
                    continue
                with self.core.db.write() as session:
                    self.tokens[name, key] = subscriptions.create(
                        session, self.actor(name), "lecteur", space_key=key or ""
                    )[1]  # fmt: skip
