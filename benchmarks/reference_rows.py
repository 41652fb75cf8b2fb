"""The rows of the reference organisation: people, spaces of all sizes, who is where, posts, reactions. Always the same.

Some people are named for the measurements: ``heavy1`` … are in 300 spaces and more; ``few1`` comes from outside and sees
the ten posts of one space and nothing else; ``p00042`` … are anybody.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from benchmarks.reference_bulk import moment
from rse_core.people import folded

#: The moment after the last post.
END = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
DAYS = 1_100
HEAVY, HEAVY_SPACES, FEW_POSTS = 20, 300, 10
#: Spaces that a person is in on average; with everyone, the entities above them and groups: 19 memberships.
SPACES_EACH = 15
#: One space in so many is public: what is in it, everyone sees.
PUBLIC = 60
#: One post in so many is an announcement, and asks to be confirmed.
ANNOUNCED, MUST_READ = 500, 5_000
TOPICS = 200
KINDS = ("like", "useful", "bravo", "thanks")
FIRST = """
Amélie Bruno Chloé Denis Élodie Farid Gaëlle Hugo Inès Jérôme Karima Léa Mathieu Nadia Olivier Pauline Quentin
Rachida Sébastien Thérèse Ulysse Valérie William Xavier Yasmine Zoé Anaïs Benoît Céline Didier
""".split()  # noqa: SIM905
LAST = """
Durand Lefèvre Moreau Petit Garcia Nguyen Benali Rousseau Fontaine Chevalier Lambert Mercier Blanchard Guérin
Muller Faure Perrin Colin Arnaud Vidal Caron Picard Roger Gérard Meunier Leclercq Bonnet François Martinez
Girard Dubois Marchand Lucas Roche Schmitt Noël Dupuy Barbier
""".split()  # noqa: SIM905
WORDS = """
le la les un une des nous vous équipe agence réunion client dossier délai matin semaine projet service outil
bonne pratique retour terrain question réponse merci nouveau document formation sécurité accueil suivi plan
site région mission collègue partage idée essai résultat chiffre mois prochain avant après pour avec sans dans
sur chez est sont sera peut doit avons avez trouve cherche propose présente améliore simplifie vite bien déjà
encore toujours ici
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class Sizes:
    """How many of each. The reference unless said otherwise."""

    people: int = 75_000
    spaces: int = 2_000
    posts: int = 1_000_000
    reactions: int = 10_000_000
    entities: int = 156

    @property
    def name(self) -> str:
        """Part of the name of its database."""
        return f"{self.people}_{self.spaces}_{self.posts}_{self.reactions}"


@dataclass
class World:
    """What the rows hang on, once the core has given audiences their ids."""

    sizes: Sizes
    everyone: int = 0
    #: entity or space id → audience id
    entity_audience: dict[int, int] = field(default_factory=dict)
    space_audience: dict[int, int] = field(default_factory=dict)
    parents: list[int | None] = field(default_factory=list)
    entity_of: list[int] = field(default_factory=list)
    #: space id - 1 → its members, in no order
    members: list[list[int]] = field(default_factory=list)
    #: post id - 1 → (audience, space or None, author)
    posts: list[tuple[int, int | None, int]] = field(default_factory=list)
    #: post id - 1 → seconds before END
    ages: list[int] = field(default_factory=list)

    @property
    def few_space(self) -> int:
        """The space of the one who sees ten posts."""
        return self.sizes.spaces

    def public(self, space: int) -> bool:
        """Whether everyone sees what is in this space."""
        return space % PUBLIC == 7 and space != self.few_space


def entities(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, key, name, parent): one root, a dozen divisions, the rest below them or below one another."""
    rng = random.Random(1)
    for ident in range(1, world.sizes.entities + 1):
        parent = None if ident == 1 else 1 if ident <= 13 else rng.randint(2, max(13, ident // 2))
        world.parents.append(parent)
        yield ident, f"e{ident:03}", f"Entité {ident}", parent


def people(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, external id, username, name, folded name, e-mail, entity, is manager, external)."""
    rng = random.Random(2)
    where = range(1, world.sizes.entities + 1)
    weights = list(accumulate(rng.lognormvariate(0, 0.9) if ident > 13 else 0.1 for ident in where))
    world.entity_of = rng.choices(where, cum_weights=weights, k=world.sizes.people)
    for ident in range(1, world.sizes.people + 1):
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}-{rng.choice(LAST)}"
        few = ident == HEAVY + 1
        username = f"heavy{ident}" if ident <= HEAVY else "few1" if few else f"p{ident:05}"
        entity = None if few else world.entity_of[ident - 1]
        yield (ident, f"x{ident}", username, name, folded(name), f"{username}@reference.example", entity,
               int(ident % 12 == 0), int(few))  # fmt: skip


def spaces(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, key, name, visibility); the sizes fall like those of real ones, a few large, most small."""
    sizes = world.sizes
    rng = random.Random(3)
    wanted = [(rank + 3) ** -0.85 for rank in range(sizes.spaces)]
    scale = sizes.people * SPACES_EACH / sum(wanted)
    keen = list(accumulate(rng.lognormvariate(0, 0.7) for _ in range(sizes.people)))
    everybody = range(1, sizes.people + 1)
    heavy = min(HEAVY_SPACES, sizes.spaces * 3 // 5)
    joined: list[set[int]] = [set() for _ in range(sizes.spaces)]
    for person in range(1, HEAVY + 1):
        for space in rng.sample(range(sizes.spaces - 1), heavy):
            joined[space].add(person)
    for space in range(1, sizes.spaces + 1):
        some = joined[space - 1]
        if space == world.few_space:
            some |= {HEAVY + 1, *rng.sample(everybody[HEAVY + 1 :], 5)}
        else:
            size = min(max(int(scale * wanted[space - 1]), 4), sizes.people // 3)
            some |= set(rng.choices(everybody, cum_weights=keen, k=size))
            some.discard(HEAVY + 1)
        members = sorted(some)
        rng.shuffle(members)
        world.members.append(members)
        visibility = "public" if world.public(space) else "secret" if space % 9 == 0 else "listed"
        yield space, f"s{space}", f"Espace {space}", visibility


def space_members(world: World) -> Iterator[tuple[Any, ...]]:
    """(space, person, role)."""
    for number, members in enumerate(world.members, 1):
        for place, person in enumerate(members):
            outside = person == HEAVY + 1
            yield number, person, "external" if outside else "owner" if place == 0 else "admin" if place == 1 else "member"


def group_members(world: World, groups: int) -> Iterator[tuple[int, int]]:
    """(group, person): one person in ten is in each."""
    rng = random.Random(4)
    for group in range(1, groups + 1):
        for person in range(1, world.sizes.people + 1):
            if person != HEAVY + 1 and rng.random() < 0.1:
                yield group, person


def place_posts(world: World) -> None:
    """Say where every post stands and who wrote it: one in a hundred is for everyone, one in ten for an entity."""
    sizes = world.sizes
    rng = random.Random(5)
    numbers = range(1, sizes.spaces + 1)
    weights = list(accumulate(
        0.0 if space == world.few_space else (len(world.members[space - 1]) + 1) ** 0.8 * rng.lognormvariate(0, 1)
        for space in numbers
    ))  # fmt: skip
    chosen = rng.choices(numbers, cum_weights=weights, k=sizes.posts)
    for index in rng.sample(range(sizes.posts), FEW_POSTS):
        chosen[index] = world.few_space
    for space in chosen:
        draw = rng.random()
        if space != world.few_space and draw < 0.11:
            author = rng.randint(1, sizes.people)
            entity = world.entity_of[author - 1]
            world.posts.append((world.everyone if draw < 0.01 else world.entity_audience[entity], None, author))
            continue
        members = world.members[space - 1]
        audience = world.everyone if world.public(space) else world.space_audience[space]
        world.posts.append((audience, space, members[int(rng.random() * len(members))]))
    step = DAYS * 86_400 / sizes.posts
    world.ages = [int((sizes.posts - index) * step) for index in range(sizes.posts)]


def posts(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, author, audience, space, title, body, state, announcement, must read, created, updated, published)."""
    rng = random.Random(6)
    phrases = [_phrase(rng) for _ in range(4_000)]
    for index, (audience, space, author) in enumerate(world.posts):
        when = moment(END - dt.timedelta(seconds=world.ages[index]))
        title = phrases[rng.randrange(4_000)][:70].rstrip(" .") if rng.random() < 0.3 else ""
        some = " ".join(phrases[rng.randrange(4_000)] for _ in range(rng.randint(1, 5)))
        if index % 5 == 0:
            some = f"**{some[:30]}** {some}\n\n- {phrases[rng.randrange(4_000)]}\n- {phrases[rng.randrange(4_000)]}"
        text = f"{some} (n° {index + 1})"
        yield (index + 1, author, audience, space, title, text, "published", int(index % ANNOUNCED == 0),
               int(index % MUST_READ == 0), when, when, when)  # fmt: skip


def topics(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, key, name): of the whole site."""
    for ident in range(1, TOPICS + 1):
        yield ident, f"sujet{ident}", f"Sujet{ident}"


def post_topics(world: World) -> Iterator[tuple[int, int]]:
    """(topic, post): one post in five is about something."""
    rng = random.Random(10)
    for index in range(world.sizes.posts):
        if rng.random() < 0.2:
            for topic in {int(rng.paretovariate(0.7)) % TOPICS + 1 for _ in range(rng.randint(1, 2))}:
                yield topic, index + 1


def notifications(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, person, type, ref type, ref id, group key, audience, space, created, updated, read): twelve for each person
    on average, a third unread."""
    rng = random.Random(12)
    sizes = world.sizes
    for ident in range(1, sizes.people * 12 + 1):
        index = sizes.posts - 1 - int(rng.random() ** 2 * (sizes.posts - 1))
        audience, space, author = world.posts[index]
        when = moment(END - dt.timedelta(seconds=int(world.ages[index] * rng.random())))
        ref = str(index + 1)
        yield (ident, author, "likes.reacted", "feed.post", ref, f"likes.reacted|feed.post:{ref}|{ident}", audience, space,
               when, when, None if rng.random() < 0.3 else when)  # fmt: skip


def broadcasts(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, audience, space, type, ref type, ref id, cause, actor, created): of every announcement."""
    for ident, index in enumerate(range(0, world.sizes.posts, ANNOUNCED), 1):
        audience, space, author = world.posts[index]
        when = moment(END - dt.timedelta(seconds=world.ages[index]))
        yield ident, audience, space, "feed.announced", "feed.post", str(index + 1), f"feed.post:{index + 1}", author, when


def entries(world: World) -> Iterator[tuple[Any, ...]]:
    """(id, ref type, ref id, event, actor, audience, space, created, last activity); one for each post."""
    rng = random.Random(7)
    for index, (audience, space, author) in enumerate(world.posts):
        age = world.ages[index]
        active = max(age - int(rng.expovariate(1 / 200_000)), 0) if rng.random() < 0.4 else age
        created = moment(END - dt.timedelta(seconds=age))
        last = created if active == age else moment(END - dt.timedelta(seconds=active))
        yield index + 1, "feed.post", str(index + 1), "feed.published", author, audience, space, created, last


def reactions(world: World, counts: list[tuple[str, str, int]]) -> Iterator[tuple[Any, ...]]:
    """(id, person, ref type, ref id, kind, created); the counters of each post are added to ``counts``.

    As many for a post as its place allows: most have few, some have thousands.
    """
    sizes = world.sizes
    rng = random.Random(8)
    weights = [rng.paretovariate(1.3) for _ in range(sizes.posts)]
    share = sizes.reactions / sum(weights)
    everybody = list(range(1, HEAVY + 1)) + list(range(HEAVY + 2, sizes.people + 1))
    rng.shuffle(everybody)
    ident = 0
    for index, (_audience, space, _author) in enumerate(world.posts):
        crowd = everybody if space is None or world.public(space) else world.members[space - 1]
        wanted = min(int(weights[index] * share + rng.random()), len(crowd))
        begin = int(rng.random() * len(crowd))
        some = crowd[begin : begin + wanted]
        if len(some) < wanted:
            some += crowd[: wanted - len(some)]
        ref, when = str(index + 1), moment(END - dt.timedelta(seconds=int(world.ages[index] * rng.random())))
        start = 0
        for kind, part in zip(KINDS, (0.6, 0.8, 0.92, 1.0), strict=True):
            stop = int(wanted * part + 0.5) if kind != KINDS[-1] else wanted
            if stop > start:
                counts.append((ref, kind, stop - start))
                for person in some[start:stop]:
                    ident += 1
                    yield ident, person, "feed.post", ref, kind, when, when
                start = stop


def comment_counts(world: World) -> Iterator[tuple[Any, ...]]:
    """(ref type, ref id, count): four posts in ten have comments."""
    rng = random.Random(9)
    for index in range(world.sizes.posts):
        if rng.random() < 0.4:
            yield "feed.post", str(index + 1), min(int(rng.paretovariate(1.2)), 300)


def space_counts(world: World) -> Iterator[tuple[Any, ...]]:
    """(space, posts, last): of those that have any."""
    found: dict[int, list[int]] = {}
    for index, (_audience, space, _author) in enumerate(world.posts):
        if space is not None:
            known = found.setdefault(space, [0, 0])
            known[0] += 1
            known[1] = index
    for space, (count, last) in sorted(found.items()):
        yield space, count, moment(END - dt.timedelta(seconds=world.ages[last]))


def _phrase(rng: random.Random) -> str:
    words = [rng.choice(WORDS) for _ in range(rng.randint(6, 18))]
    return " ".join(words).capitalize() + "."
