"""Who sees what, once more: slow, obvious, one sentence of the rules after the other, over lists and loops.

It shares no code with the core or any plugin, so that a test can compare the two. Nothing is remembered: every question is
answered from the whole organisation anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INFORM, REACT, COMMENT, CONTRIBUTE, COLLABORATE, COCREATE = range(6)
RUNS = ("owner", "admin", "moderator")
#: capability → (plugin, level, who may in a space unless it says otherwise, whether it writes)
CAPABILITIES = {
    "feed.read": ("feed", REACT, "all", False),
    "feed.post": ("feed", CONTRIBUTE, "members", True),
    "feed.announce": ("feed", CONTRIBUTE, "managers", True),
    "comments.write": ("comments", COMMENT, "all", True),
    "search.use": ("search", REACT, "all", False),
    "communities.see": ("communities", REACT, "all", False),
}
EVERYONE = ("everyone", "")
#: What becomes of one's own posts.
ABOUT_ONESELF = ("feed.hidden", "feed.refused", "feed.moved", "governance.approved")


@dataclass
class Person:
    name: str
    word: str
    entity: str | None = None
    groups: set = field(default_factory=set)
    spaces: dict = field(default_factory=dict)  # space -> role
    grants: set = field(default_factory=set)  # (role, scope, key)
    external: bool = False
    disabled: bool = False
    follows: set = field(default_factory=set)  # topics: (space or "", word)
    confirmed: set = field(default_factory=set)  # numbers of posts
    beside: tuple = ()  # entities beside the main one


@dataclass
class Space:
    key: str
    word: str
    visibility: str
    archived: bool = False
    rules: dict = field(default_factory=dict)  # capability -> who
    reviewed: bool = False
    notify: str = "all"


@dataclass
class Post:
    number: int
    word: str
    author: str
    audience: tuple
    space: str | None
    state: str = "published"
    locked: bool = False
    topics: tuple = ()
    named: frozenset = frozenset()
    announcement: bool = False
    must_read: bool = False
    came: float = 0.0
    active: float = 0.0

    def __str__(self):
        audience = ":".join(part for part in self.audience if part)
        marks = " announced" * self.announcement + " to confirm" * self.must_read + " locked" * self.locked
        return f"post {self.number} ({self.state}{marks} by {self.author} for {audience} in {self.space})"


@dataclass
class Comment:
    number: int
    word: str
    post: int
    author: str
    state: str = "published"
    answers: int | None = None
    named: frozenset = frozenset()

    def __str__(self):
        return f"comment {self.number} ({self.state} by {self.author} on {self.post})"


@dataclass
class Page:
    key: str
    word: str
    audience: tuple | None
    entity: str | None = None
    came: float = 0.0


@dataclass
class Told:
    """Somebody was told: of ``about``, ``("post", n)`` or ``("comment", n)``; ``whom`` None: the whole ``audience``."""

    kind: str
    about: tuple
    whom: str | None
    cause: int | None = None


@dataclass
class World:
    parents: dict = field(default_factory=dict)  # entity -> parent or None
    groups: list = field(default_factory=list)
    spaces: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)
    levels: dict = field(default_factory=dict)  # (kind, scope, key) -> level
    switches: dict = field(default_factory=dict)  # (plugin, scope, key) -> bool
    posts: dict = field(default_factory=dict)
    comments: dict = field(default_factory=dict)
    pages: list = field(default_factory=list)
    told: list = field(default_factory=list)
    opened: dict = field(default_factory=dict)  # space -> when the feed told that it opened
    boards: dict = field(default_factory=dict)
    cards: dict = field(default_factory=dict)


# -- where people stand ---------------------------------------------------------------------------------------------------


def path(world, entity):
    found = []
    while entity is not None:
        found.append(entity)
        entity = world.parents[entity]
    return found


def is_in(world, name, audience):
    """Whether this person is among those for whom a thing is."""
    person = world.people[name]
    kind, key = audience
    if person.disabled:
        return False
    if kind == "everyone":
        return not person.external
    if kind == "entity":
        return not person.external and any(key in path(world, one) for one in (person.entity, *person.beside))
    if kind == "group":
        return key in person.groups
    return key in person.spaces or runs_by_grant(world, name, key)


def runs_by_grant(world, name, space):
    grants = world.people[name].grants
    return ("animator", "space", space) in grants or ("moderator", "space", space) in grants


def runs(world, name, space):
    """Whether this person runs the space."""
    person = world.people[name]
    return not person.disabled and (person.spaces.get(space) in RUNS or runs_by_grant(world, name, space))


def audience_of(world, space):
    """For whom a thing is that stands in the space as a whole."""
    return EVERYONE if world.spaces[space].visibility == "public" else ("space", space)


# -- the cursor -----------------------------------------------------------------------------------------------------------


def granted(world, name, space):
    person = world.people[name]
    level = None
    for entity in path(world, person.entity):
        if level is None:
            level = world.levels.get(("level", "entity", entity))
    if level is None:
        level = world.levels.get(("level", "site", ""), INFORM)
    for group in person.groups:
        level = max(level, world.levels.get(("level", "group", group), INFORM))
    if space in person.spaces:
        level = max(level, world.levels.get(("level", "space", space), INFORM))
    for entity in path(world, person.entity):
        level = min(level, world.levels.get(("ceiling", "entity", entity), COCREATE))
    return min(level, world.levels.get(("ceiling", "site", ""), COCREATE))


def cap(world, audience, space):
    kind, key = audience
    level = COCREATE
    if kind == "entity":
        for entity in path(world, key):
            level = min(level, world.levels.get(("cap", "entity", entity), COCREATE))
    if kind == "group":
        level = min(level, world.levels.get(("cap", "group", key), COCREATE))
    if kind == "space":
        level = min(level, world.levels.get(("cap", "space", key), COCREATE))
    if space is not None:
        level = min(level, world.levels.get(("cap", "space", space), COCREATE))
    return level


def level_of(world, name, audience, space):
    return min(granted(world, name, space), cap(world, audience, space))


def is_on(world, plugin, name, space):
    """Whether the plugin is switched on for this person there."""
    person = world.people[name]
    if space is not None and world.switches.get((plugin, "space", space)) is False:
        return False
    said = [world.switches[plugin, "group", group] for group in person.groups if (plugin, "group", group) in world.switches]
    if said:
        return all(said)
    for entity in path(world, person.entity):
        if (plugin, "entity", entity) in world.switches:
            return world.switches[plugin, "entity", entity]
    return world.switches.get((plugin, "site", ""), True)


def role_allows(world, name, space, capability):
    """Whether the space's own rule lets this person do it there."""
    if space is None:
        return True
    person, here = world.people[name], world.spaces[space]
    _plugin, _level, usual, writes = CAPABILITIES[capability]
    who = here.rules.get(capability, usual)
    member, manager = space in person.spaces, runs(world, name, space)
    if not (member or manager or (here.visibility == "public" and not person.external)):
        return False
    if who == "nobody":
        return False
    if who == "managers":
        return manager
    if who == "members":
        outside = person.spaces.get(space) == "external" and writes
        return manager or (member and not outside)
    return True


def may(world, name, capability, audience, space=None):
    """Whether this person may do this to a thing that is for this audience and stands in this space."""
    plugin, level, _who, writes = CAPABILITIES[capability]
    if audience[0] == "space":
        space = space or audience[1]
    return (
        is_in(world, name, audience)
        and is_on(world, plugin, name, space)
        and level_of(world, name, audience, space) >= level
        and role_allows(world, name, space, capability)
        and not (writes and space is not None and world.spaces[space].archived)
    )


def may_anywhere(world, name, capability):
    """Whether this person may do this at all, on nothing in particular."""
    plugin, level, _who, _writes = CAPABILITIES[capability]
    return not world.people[name].disabled and is_on(world, plugin, name, None) and granted(world, name, None) >= level


# -- posts ----------------------------------------------------------------------------------------------------------------


def reads(world, name, post):
    """Whether a post, published, would be shown to this person."""
    return may(world, name, "feed.read", post.audience, post.space)


def closed(world, name, post):
    """Whether a rule of the space, or a switch, keeps it from this person though it is for them. No matter of levels."""
    space = post.space or (post.audience[1] if post.audience[0] == "space" else None)
    return not is_on(world, "feed", name, space) or not role_allows(world, name, space, "feed.read")


def listed(world, name):
    """The posts of this person's feed."""
    return [post for post in world.posts.values() if post.state == "published" and reads(world, name, post)]


def newest(posts):
    return [post.number for post in sorted(posts, key=lambda post: (post.came, post.number), reverse=True)]


def most_active(posts):
    return [post.number for post in sorted(posts, key=lambda post: (post.active, post.number), reverse=True)]


def moderates(world, name, post):
    """Whether this person decides on a post; on what is for a space alone, who is in it."""
    person = world.people[name]
    if person.disabled or (post.audience[0] == "space" and not is_in(world, name, post.audience)):
        return False
    if ("site_admin", "site", "") in person.grants or ("moderator", "site", "") in person.grants:
        return True
    entities = path(world, world.people[post.author].entity)
    if post.audience[0] == "entity":
        entities = entities + path(world, post.audience[1])
    for entity in entities:
        if ("moderator", "entity", entity) in person.grants or ("entity_admin", "entity", entity) in person.grants:
            return True
    return post.space is not None and runs(world, name, post.space)


def opens(world, name, post):
    """Whether the post's own page opens for this person."""
    if world.people[name].disabled or post.state == "deleted":
        return False
    if post.author == name:
        return post.state not in ("published", "archived") or is_own_to_be_had(world, name, post)
    if post.state in ("published", "archived"):
        return reads(world, name, post)
    return post.state in ("pending", "hidden") and moderates(world, name, post)


def is_own_to_be_had(world, name, post):
    """One's own is to be had below the level of reading, and where the feed is off; not where one is no longer let in."""
    if not is_in(world, name, post.audience):
        return False
    low = level_of(world, name, post.audience, post.space) < REACT or not is_on(world, "feed", name, post.space)
    return low or role_allows(world, name, post.space, "feed.read")


def knows_of(world, name, post):
    """Whether it is no news to this person that there is such a post: they wrote it, were told of it, or it is for them."""
    told = any(one.about == ("post", post.number) and one.whom == name for one in world.told)
    return post.author == name or told or name in post.named or is_in(world, name, post.audience)


def card_in_feed(world, name, key):
    """Whether the feed tells this person that the space opened: its card is for all who may know of it; where its feed is
    closed to them it is silent too."""
    space = world.spaces[key]
    if space.archived:
        return False
    if space.visibility == "secret":
        return may(world, name, "feed.read", ("space", key), key)
    return may(world, name, "feed.read", EVERYONE, key if space.visibility == "public" else None)


def topics_known(world, name):
    """topic → how many posts on it this person sees; also those they follow, where they are."""
    found = {}
    for post in listed(world, name):
        for topic in post.topics:
            found[topic] = found.get(topic, 0) + 1
    for space, word in world.people[name].follows:
        if not space or is_in(world, name, ("space", space)):
            found.setdefault((space, word), 0)
    return found


def to_confirm(world, name):
    """The posts that this person is asked to confirm and has not."""
    return [
        post for post in listed(world, name)
        if post.must_read and (post.space is None or is_in(world, name, ("space", post.space)))
        and post.number not in world.people[name].confirmed
    ]  # fmt: skip


def digest(world, name, most=5):
    waiting = {post.number for post in listed(world, name) if post.must_read} - world.people[name].confirmed
    others = [post for post in listed(world, name) if post.author != name]
    others.sort(key=lambda post: (post.number in waiting, post.announcement, post.active, post.number), reverse=True)
    return [post.number for post in others[:most]]


# -- comments -------------------------------------------------------------------------------------------------------------


def sees_comments(world, name, post):
    """Whether the comments of this post are shown to this person at all."""
    if post.state not in ("published", "archived") or not reads(world, name, post):
        return False
    if not is_on(world, "comments", name, post.space):
        return False
    level = level_of(world, name, post.audience, post.space)
    if level >= COMMENT:
        return True
    wrote = any(one.post == post.number and one.author == name for one in world.comments.values())
    return level > INFORM and (wrote or moderates_comments(world, name, post))


def moderates_place(world, name, post):
    """Whether this person decides on whatever is written for this audience, in this space."""
    person = world.people[name]
    if person.disabled:
        return False
    if ("site_admin", "site", "") in person.grants or ("moderator", "site", "") in person.grants:
        return True
    for entity in path(world, post.audience[1]) if post.audience[0] == "entity" else ():
        if ("moderator", "entity", entity) in person.grants or ("entity_admin", "entity", entity) in person.grants:
            return True
    return post.space is not None and runs(world, name, post.space)


def moderates_comments(world, name, post):
    return moderates_place(world, name, post) or any(
        role in ("moderator", "entity_admin") and scope == "entity" for role, scope, _key in world.people[name].grants
    )


def comments_of(world, post, state="published"):
    return [one for one in world.comments.values() if one.post == post.number and one.state == state]


def moderates_comment(world, name, post, comment):
    """Whether this person decides on a comment: as on the post, and on what people of their entities write."""
    grants = world.people[name].grants
    above = path(world, world.people[comment.author].entity)
    if any(scope == "entity" and role in ("moderator", "entity_admin") and key in above for role, scope, key in grants):
        return not world.people[name].disabled
    return moderates_place(world, name, post)


def opens_comment(world, name, post, comment):
    """Whether the comment's own page opens: the thread is shown, and it is published or waits for one's decision. One's own
    is to be had below that level too."""
    if post.state not in ("published", "archived") or not is_in(world, name, post.audience) or closed(world, name, post):
        return False
    if not is_on(world, "comments", name, post.space):
        return False
    if comment.author == name:
        return comment.state != "deleted"
    waits = comment.state == "pending" and moderates_comment(world, name, post, comment)
    return sees_comments(world, name, post) and (comment.state == "published" or waits)


def may_comment(world, name, post):
    fits = post.state == "published" and not post.locked and reads(world, name, post)
    return fits and may(world, name, "comments.write", post.audience, post.space)


# -- spaces and people ----------------------------------------------------------------------------------------------------


def knows(world, name, space):
    """Whether this person may know that the space exists."""
    person, here = world.people[name], world.spaces[space]
    if person.disabled:
        return False
    if space in person.spaces or runs_by_grant(world, name, space):
        return True
    return here.visibility != "secret" and not person.external


def in_directory(world, name):
    """The spaces that the directory lists for this person."""
    person = world.people[name]
    return {
        key for key, space in world.spaces.items()
        if key in person.spaces or (not person.external and space.visibility != "secret" and not space.archived)
    }  # fmt: skip


def sees_inside(world, name, space):
    """Whether this person sees what is in the space: its members, for one."""
    here = world.spaces[space]
    there = is_in(world, name, ("space", space)) or (here.visibility == "public" and is_in(world, name, EVERYONE))
    return there and may(world, name, "communities.see", audience_of(world, space), space)


def members_of(world, space):
    return {name for name, person in world.people.items() if space in person.spaces and not person.disabled}


def nameable(world, audience, space):
    """The people who may be named in something for this audience: those who will read it."""
    return {name for name in world.people if may(world, name, "feed.read", audience, space)}


# -- search ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """One thing that search finds: its kind, what it is, who wrote it, where it stands, which entity it is of."""

    kind: str
    what: object
    author: str | None = None
    space: str | None = None
    entity: str | None = None
    post: int | None = None


def found_by(world, name):
    """Everything that this person could find: posts, comments, spaces, pages, people."""
    if not may_anywhere(world, name, "search.use"):
        return set()
    found = set()
    for post in world.posts.values():
        if post.state not in ("published", "archived") or not reads(world, name, post):
            continue
        if may(world, name, "search.use", post.audience, post.space):
            found.add(Found("post", post.number, post.author, post.space, world.people[post.author].entity))
            if is_on(world, "comments", name, post.space) and level_of(world, name, post.audience, post.space) >= COMMENT:
                for one in comments_of(world, post):
                    entity = world.people[one.author].entity
                    found.add(Found("comment", one.number, one.author, post.space, entity, post.number))
    for key, space in world.spaces.items():
        if finds_space(world, name, key, space):
            found.add(Found("space", key))
    for page in world.pages:
        if page.audience is not None and may(world, name, "search.use", page.audience):
            found.add(Found("page", page.key, entity=page.entity))
    if may(world, name, "search.use", EVERYONE):
        for other, person in world.people.items():
            if not person.disabled and not person.external:
                found.add(Found("person", other, entity=person.entity))
    return found


def finds_space(world, name, key, space):
    card = EVERYONE if space.visibility != "secret" and not space.archived else ("space", key)
    # The card of a space that everybody may know of stands before it, not in it.
    inner = key if card[0] == "space" else None
    both = ("search.use", "communities.see")
    return all(may(world, name, capability, card, inner) for capability in both)


# -- what people are told -------------------------------------------------------------------------------------------------


def told_now(world, name, counted=False):
    """The kinds and objects of which this person's list of notifications speaks.

    :param counted: those that the bell counts. It does not look at objects, as the list does: not whether a moderator has
        taken down the post under which a comment stands, nor whether somebody from outside, a member of a public space, may
        open what is announced there to everyone.
    """
    found = set()
    for one in world.told:
        kind, number = one.about
        comment = world.comments.get(number) if kind == "comment" else None
        post = world.posts[comment.post if comment else number]
        if one.whom is not None and one.whom != name:
            continue
        if one.whom is None and (post.author == name or not is_asked(world, name, post)):
            continue
        # An announcement in a public space speaks to its members, and those from outside are among them.
        outside = one.whom is None and world.people[name].external and post.audience == EVERYONE
        if counted and outside and may(world, name, "feed.read", ("space", post.space), post.space):
            found.add((one.kind, one.about))
        if world.people[name].disabled:
            continue
        if one.kind in ABOUT_ONESELF or (one.kind[:4] != "feed" and name == (comment or post).author):
            found.add((one.kind, one.about))
        elif one.kind[:4] == "feed":
            if post.state in ("published", "archived") and reads(world, name, post):
                found.add((one.kind, one.about))
        elif is_in(world, name, post.audience) and not closed(world, name, post) and (counted or post.state != "hidden"):
            found.add((one.kind, one.about))
    return found


def is_asked(world, name, post):
    """Whether an announcement speaks to this person: those for whom it is, in a space its members."""
    return is_in(world, name, ("space", post.space) if post.space is not None else post.audience)
