"""Random changes, made twice as everything here: in the core and in the slow model."""

from __future__ import annotations

import visibility_model as model
from visibility_model import COMMENT, CONTRIBUTE, EVERYONE, INFORM, REACT, Post, Told
from visibility_organisation import ADMIN, Site

from rse_core import organisation, people, spaces
from rse_feed import acting


def change(site: Site) -> None:
    """One of each kind."""
    for act in (leave_space, leave_space, leave_group, turn, turn, lower, lower, close, cap, move, move, move, disable):
        act(site)
        site.run()
    for number in range(1_000, 1_015):
        site.write(number)
    site.run()
    for number in range(1_000, 1_012):
        site.remark(number)
    site.run()


def leave_space(site: Site) -> None:
    """Somebody is no member any more."""
    inside = [(name, key) for name, person in site.world.people.items() for key in person.spaces]
    name, key = site.rng.choice(inside)
    with site.core.db.write() as session:
        organisation.leave_space(session, site.space[key].id, site.id(name))
    del site.world.people[name].spaces[key]


def leave_group(site: Site) -> None:
    inside = [(name, key) for name, person in site.world.people.items() for key in sorted(person.groups)]
    name, key = site.rng.choice(inside)
    with site.core.db.write() as session:
        organisation.leave_group(session, site.group[key].id, site.id(name))
    site.world.people[name].groups.remove(key)


def turn(site: Site) -> None:
    """A space is seen by others than before, mostly by fewer; what stands in it follows."""
    key = site.rng.choice([key for key, space in site.world.spaces.items() if not space.archived])
    space = site.world.spaces[key]
    visibility = site.rng.choice([other for other in ("secret", "secret", "listed", "public") if other != space.visibility])
    with site.core.db.write() as session:
        spaces.change_visibility(session, site.space[key].id, visibility, actor=ADMIN)
    before = model.audience_of(site.world, key)
    space.visibility = visibility
    after = model.audience_of(site.world, key)
    for post in site.world.posts.values():
        if post.space == key and post.audience == before:
            post.audience = after
    for board in site.world.boards.values():
        if board.space == key:
            board.audience = after
    # Who sees the space no longer works on nothing there.
    for card in site.world.cards.values():
        if site.world.boards[card.board].space == key:
            card.people = {name for name in card.people if model.is_in(site.world, name, after)}


def lower(site: Site) -> None:
    """A level is another one from now on."""
    where = site.rng.choice([{"entity": site.rng.choice(list(site.entity))}, {"group": "g0"}, {"space": "s3"}])
    site.level(site.rng.choice((INFORM, REACT, COMMENT, CONTRIBUTE)), **where)


def close(site: Site) -> None:
    """A space says otherwise who reads its posts."""
    key, who = site.rng.choice(("s0", "s2", "s3", "s6")), site.rng.choice(("members", "managers"))
    with site.core.db.write() as session:
        organisation.set_space_rule(session, site.space[key].id, "feed.read", who)
    site.world.spaces[key].rules["feed.read"] = who


def cap(site: Site) -> None:
    site.level(site.rng.choice((INFORM, REACT, COMMENT)), space=site.rng.choice(list(site.space)), kind="cap")


def disable(site: Site) -> None:
    """Somebody leaves the organisation."""
    name = site.rng.choice([name for name, person in site.world.people.items() if not person.disabled and name != "p00"])
    with site.core.db.write() as session:
        people.disable(session, site.id(name))
    site.world.people[name].disabled = True


def move(site: Site) -> None:
    """A post is put before another audience, or into another space, by who may."""
    world = site.world
    posts = [post for post in world.posts.values() if post.state in ("published", "archived") and not _spoken_of(site, post)]
    for post in site.rng.sample(posts, len(posts)):
        able = [
            name for name in world.people
            if model.reads(world, name, post) and (name == post.author or model.moderates(world, name, post))
        ]  # fmt: skip
        for name in able:
            places = [place for place in site.audiences_of(name) if _fits(site, name, post, place)]
            if places:
                _move(site, name, post, site.rng.choice(places))
                return


def _spoken_of(site: Site, post: Post) -> bool:
    """Whether people were told of comments on it: such lines stay with the audience that they were written for."""
    return any(comment.post == post.number for comment in site.world.comments.values())


def _fits(site: Site, name: str, post: Post, place: tuple) -> bool:
    _key, audience, space = place
    if (audience, space) == (post.audience, post.space) or audience == EVERYONE:
        return False
    if space is not None and site.world.spaces[space].reviewed and not site.passes_review(name, space):
        return False
    return not post.announcement or site.may_announce(name, audience, space)


def _move(site: Site, name: str, post: Post, place: tuple) -> None:
    key, audience, space = place
    with site.core.db.write() as session:
        acting.move(session, site.actor(name), post.number, key)
    post.audience, post.space = audience, space
    post.topics = tuple(site.topic(space, word) for _place, word in post.topics)
    if name != post.author:
        site.world.told.append(Told("feed.moved", ("post", post.number), post.author))
