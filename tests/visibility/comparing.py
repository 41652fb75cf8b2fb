"""What a person is shown, asked through pages, REST and services, beside what the slow model says; differences in words."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

import visibility_boards as slow
import visibility_model as model
from visibility_boards_comparing import BoardsComparison
from visibility_model import EVERYONE, INFORM, REACT
from visibility_organisation import COMMON, Site

from rse_comments import access as comment_access
from rse_core import privacy
from rse_core.api import Forbidden, NotFound, ObjectRef, use_locale
from rse_core.notify import unread
from rse_core.testing import as_person
from rse_feed import access, digest, topics
from rse_notifications import contents

API = "/rse/api/v1"
NOBODYS = 987_654_321
THOROUGH = "RSE_VISIBILITY_SEEDS" in os.environ
ATOM = "{http://www.w3.org/2005/Atom}"


class Comparison(BoardsComparison):
    """One person's sight. ``differences`` says where it is not the model's."""

    def __init__(self, site: Site, client: Any, name: str) -> None:
        self.site, self.world, self.name = site, site.world, name
        self.person = site.world.people[name]
        self.client = as_person(client, name)
        self.differences: list[str] = []
        # Not the site's: what is looked at must not decide what happens next.
        self.rng = random.Random(f"{site.seed} {name} {site.moment}")

    def some(self, things: Iterable[Any], most: int) -> list[Any]:
        """A few of them, for what costs a request each; all when the test was asked to be thorough."""
        found = list(things)
        return found if THOROUGH else self.rng.sample(found, min(most, len(found)))

    def everything(self) -> list[str]:
        """Compare all of it."""
        for check in (
            self.feed, self.feeds_of_spaces, self.posts, self.new, self.topics, self.to_read, self.search, self.suggestions,
            self.notifications, self.names, self.digest, self.programs, self.comments, self.spaces, self.export,
            self.boards, self.whole_boards, self.cards, self.work, self.calendars, self.beside,
        ):  # fmt: skip
            check()
        return self.differences

    # -- asking -----------------------------------------------------------------------------------------------------------

    def same(self, what: str, shown: Any, expected: Any) -> None:
        """Note a difference."""
        if shown == expected:
            return
        said = f"{self.name}: {what}: shown {shown!r}, expected {expected!r}"
        if isinstance(shown, (list, set)) and isinstance(expected, (list, set)):
            more, less = set(shown) - set(expected), set(expected) - set(shown)
            said = f"{self.name}: {what}: too much {self._said(more)}, too little {self._said(less)}"
            if not more and not less:
                said = f"{self.name}: {what}: order: shown {shown!r}, expected {expected!r}"
        self.differences.append(said)

    def _said(self, some: Iterable[Any]) -> str:
        found = []
        for one in sorted(some, key=str):
            number = one[1][1] if isinstance(one, tuple) and isinstance(one[1], tuple) else one
            found.append(f"{one} {self.world.posts.get(number) or self.world.comments.get(number) or ''}")
        return str(found)

    def get(self, path: str, **query: Any) -> Any:
        """What an address answers, as JSON; None where it is closed to the person."""
        answer = self.client.get(path, query_string={key: value for key, value in query.items() if value is not None})
        if answer.status_code == 200:
            return answer.get_json()
        assert answer.status_code in (401, 403, 404), (path, query, answer.status_code, answer.get_data(as_text=True)[:300])
        return None

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor = None
        for _page in range(60):
            body = self.get(path, cursor=cursor, **query)
            if body is None:
                return found
            found += body["items"]
            cursor = body["next"]
            if cursor is None:
                return found
        raise AssertionError(f"{path} has no end")

    # -- the feed ---------------------------------------------------------------------------------------------------------

    def entries(self) -> list[tuple[float, float, str, Any]]:
        """What the model lists in the feed: when it came, when it was last active, what it is."""
        found = [(post.came, post.active, f"feed.post:{post.number}") for post in model.listed(self.world, self.name)]
        for page in self.world.pages:
            if page.audience is not None and model.may(self.world, self.name, "feed.read", page.audience):
                found.append((page.came, page.came, f"page:{page.key}"))
        for key, came in self.world.opened.items():
            if model.card_in_feed(self.world, self.name, key):
                found.append((came, came, f"communities.space:{self.site.space[key].id}"))
        found += [(one.came, one.came, f"kanban.board:{one.number}") for one in slow.in_feed(self.world, self.name)]
        return found

    def feed(self) -> None:
        """The personal feed, in both orders, to its end; and what the form offers as audiences."""
        mine = self.entries()
        for sort, place in (("new", 0), ("active", 1)):
            expected = [one[2] for one in sorted(mine, key=lambda one: one[place], reverse=True)]
            shown = [line["ref"] for line in self.pages(f"{API}/feed", sort=sort, limit=33)]
            self.same(f"feed by {sort}", shown, expected)
        announced = [post for post in model.listed(self.world, self.name) if post.announcement]
        shown = [line["id"] for line in self.pages(f"{API}/feed", sort="new", kind="announcements")]
        self.same("announcements", shown, model.newest(announced))
        posts = [line["id"] for line in self.pages(f"{API}/feed", sort="active", kind="posts", limit=50)]
        self.same("posts by activity", posts, model.most_active(model.listed(self.world, self.name)))

    def feeds_of_spaces(self) -> None:
        """The posts of each space: of one that is closed to the person there is none."""
        for key in self.some(self.world.spaces, 5):
            opened = model.may(self.world, self.name, "feed.read", model.audience_of(self.world, key), key)
            here = [post for post in model.listed(self.world, self.name) if post.space == key] if opened else []
            lines = self.pages(f"{API}/feed", sort="new", kind="posts", space=key, limit=50)
            self.same(f"feed of {key}", [line["id"] for line in lines], model.newest(here))
            page = self.client.get(f"/rse/feed/spaces/{key}").status_code
            # Who reads nothing anywhere has no feed at all.
            self.same(f"page of the posts of {key}", page == 200, opened)

    def posts(self) -> None:
        """Each post's own page: open, or refused as one that does not exist to whom it would be news."""
        with self.site.core.db.read() as session, use_locale("en"):
            never = self.refusal(session, NOBODYS)
            for post in self.world.posts.values():
                refusal = self.refusal(session, post.number)
                opened = model.opens(self.world, self.name, post)
                self.same(f"opening {post}", refusal == "", opened)
                if not opened and not model.knows_of(self.world, self.name, post):
                    self.same(f"refusal of {post}", refusal, never)
        for post in self.some(self.world.posts.values(), 6):
            expected = model.opens(self.world, self.name, post) and model.is_on(self.world, "feed", self.name, None)
            answer = self.client.get(f"{API}/feed/posts/{post.number}")
            self.same(f"REST of {post}", answer.status_code == 200, expected)
            answer = self.client.get(f"/rse/feed/posts/{post.number}")
            self.same(f"page of {post}", answer.status_code == 200, expected)
            told = answer.get_data(as_text=True)
            seen = {one.word for one in model.comments_of(self.world, post) if one.word in told}
            wanted = set()
            if expected and model.sees_comments(self.world, self.name, post):
                wanted = {one.word for one in model.comments_of(self.world, post)}
            self.same(f"comments on the page of {post}", seen - wanted, set())
            self.same(f"text on the page of {post}", post.word in told, expected)

    def refusal(self, session: Any, number: int) -> str:
        """Why a post does not open; "" when it does."""
        try:
            access.readable(session, self.site.id(self.name), number)
        except (Forbidden, NotFound) as error:
            return str(error)
        return ""

    def new(self) -> None:
        """How many posts of others came since the feed was read: measured from the beginning, and from the middle."""
        body = self.get(f"{API}/feed", sort="new", limit=1)
        if body is None:
            return
        from rse_feed import reading

        mine = [post for post in model.listed(self.world, self.name) if post.author != self.name]
        own = {f"kanban.board:{one.number}" for one in self.world.boards.values() if one.author == self.name}
        cards = [one for one in self.entries() if not one[2].startswith("feed.post") and one[2] not in own]
        with self.site.core.db.read() as session:
            shown = reading.news(session, self.site.id(self.name), self.site.began)
        self.same("new posts", shown, min(50, len(mine) + len(cards)))
        answer = self.get(f"{API}/feed/new", since=body["since"])
        self.same("new posts just now", answer["count"], 0)

    def topics(self) -> None:
        """Topics, how many posts each has, those posts, and what is proposed while typing."""
        asks = not self.world.people[self.name].disabled and model.is_on(self.world, "feed", self.name, None)
        known = model.topics_known(self.world, self.name) if asks else {}
        rows = self.pages(f"{API}/feed/topics", limit=50)
        shown = {(row["space"], row["key"]): row["posts"] for row in rows}
        self.same("topics and their numbers", shown, known)
        if not asks:
            return
        for row in rows:
            self.same(f"topic {row['key']}", (self.get(f"{API}/feed/topics/{row['id']}") or {}).get("key"), row["key"])
        with self.site.core.db.read() as session:
            for row in rows:
                expected = [p for p in model.listed(self.world, self.name) if (row["space"], row["key"]) in p.topics]
                found, _more = topics.post_ids(session, self.site.id(self.name), row["id"], most=200)
                self.same(f"posts on {row['key']}", set(found), {post.number for post in expected})
            for key in self.world.spaces:
                found = {(t.space_key, t.key) for t in topics.suggest(session, self.site.id(self.name), "t", space_key=key)}
                expected = {topic for topic in known if topic[1].startswith("t") and topic[0] in ("", key)}
                self.same(f"topics proposed in {key}", found, expected)

    def to_read(self) -> None:
        """What is to be confirmed: the list's number on the badge."""
        from rse_feed import announcements

        expected = {post.number for post in model.to_confirm(self.world, self.name)}
        with self.site.core.db.read() as session:
            found, _more = announcements.to_read(session, self.site.id(self.name), most=200)
            self.same("to read", {one.id for one in found}, expected)
            self.same("badge of what is to read", announcements.waiting(session, self.site.id(self.name)), len(expected))

    def digest(self) -> None:
        """The lines of a digest."""
        with self.site.core.db.read() as session, use_locale("en"):
            lines = [int(line.ref.id) for line in digest.lines(session, self.site.id(self.name), self.site.began)]
            self.same("digest", lines, model.digest(self.world, self.name))
            worth = contents.worth_reading(session, self.site.id(self.name), self.site.began)
        reads = model.is_on(self.world, "feed", self.name, None) and model.granted(self.world, self.name, None) > INFORM
        self.same("worth reading", [int(line.ref.id) for line in worth], lines if reads and not self.person.disabled else [])

    def programs(self) -> None:
        """What a program reads at the person's addresses: their feed and that of a space, as Atom and as JSON."""
        for (name, key), token in self.site.tokens.items():
            if name != self.name:
                continue
            mine = [one for one in self.entries()]
            opened = not self.person.disabled
            if key is not None:
                opened = model.may(self.world, self.name, "feed.read", model.audience_of(self.world, key), key)
                ident = f"communities.space:{self.site.space[key].id}"
                here = {f"feed.post:{post.number}" for post in model.listed(self.world, self.name) if post.space == key}
                here |= {f"kanban.board:{one.number}" for one in self.world.boards.values() if one.space == key}
                mine = [one for one in mine if one[2] in here or one[2] == ident]
            expected = [one[2] for one in sorted(mine, reverse=True)][:30] if opened else []
            # Whoever asks: the address itself says whose it is.
            client = as_person(self.client, None)
            atom, feed = client.get(f"/rse/feed/atom/{token}"), client.get(f"/rse/feed/json/{token}")
            as_person(self.client, self.name)
            self.same(f"address of {key} is open", (atom.status_code == 200, feed.status_code == 200), (opened, opened))
            if not opened:
                continue
            urls = [self.url(ref) for ref in expected]
            self.same(f"JSON feed of {key}", [item["url"] for item in feed.get_json(force=True)["items"]], urls)
            links = ElementTree.fromstring(atom.get_data()).findall(f"{ATOM}entry/{ATOM}link")
            self.same(f"Atom feed of {key}", [link.get("href") for link in links], urls)

    def url(self, ref: str) -> str:
        """Where an entry leads, as programs are told."""
        kind, _colon, ident = ref.partition(":")
        if kind == "page":
            return f"http://localhost{ident}"
        if kind == "feed.post":
            return f"http://localhost/rse/feed/posts/{ident}"
        if kind == "kanban.board":
            return f"http://localhost/rse/kanban/boards/{ident}"
        key = next(key for key, space in self.site.space.items() if str(space.id) == ident)
        return f"http://localhost/rse/communities/{key}/"

    # -- search -----------------------------------------------------------------------------------------------------------

    def search(self) -> None:
        """Everything by one word that stands in all of it: hits and the numbers of every facet."""
        on = model.is_on(self.world, "search", self.name, None)
        found = model.found_by(self.world, self.name) | slow.found_by(self.world, self.name) if on else set()
        common = ("post", "comment", "page", "board", "card")
        for text, kinds in ((COMMON, common), ("Cercle", ("space",)), ("Camille", ("person",))):
            expected = {one for one in found if one.kind in kinds}
            if text == "Camille":
                # A card is found by the names of those who work on it, too.
                expected |= {one for one in found if one.kind == "card" and self.world.cards[one.what].people}
            hits = self.pages(f"{API}/search", q=text, limit=50, facets="true")
            shown = {(hit["kind"], self.what(hit)) for hit in hits}
            self.same(f"search for {text}", shown, {(one.kind, one.what) for one in expected})
            self.same(f"search for {text}, each once", len(hits), len(shown))
            self.facets(text, expected)
        for key in self.some(self.world.spaces, 4):
            hits = self.pages(f"{API}/search", q=COMMON, space=key, limit=50)
            shown = {(hit["kind"], self.what(hit)) for hit in hits}
            self.same(f"search in {key}", shown, {(one.kind, one.what) for one in found if one.space == key})

    def what(self, hit: dict[str, Any]) -> Any:
        kind, _colon, ident = hit["ref"].partition(":")
        if kind in ("feed.post", "comments.comment", "kanban.board", "kanban.card"):
            return int(ident)
        if kind == "communities.space":
            return next(key for key, space in self.site.space.items() if str(space.id) == ident)
        if kind == "search.person":
            return next(name for name, person in self.site.person.items() if str(person.id) == ident)
        return ident

    def facets(self, text: str, expected: set[model.Found]) -> None:
        body = self.get(f"{API}/search", q=text, facets="true")
        if body is None:
            return
        self.same(f"number found for {text}", body["count"], len(expected))
        wanted = {
            "kind": Counter(one.kind for one in expected),
            "space": Counter(one.space for one in expected if one.space),
            "author": Counter(one.author for one in expected if one.author),
            "entity": Counter(above for one in expected for above in model.path(self.world, one.entity)),
            "date": Counter({span: len(expected) for span in ("week", "month", "year") if expected}),
        }
        for facet in body["facets"]:
            numbers = wanted.pop(facet["name"])
            shown = {value["key"]: value["count"] for value in facet["values"]}
            # The most frequent are shown, as many as there is room for.
            most = sorted(numbers.values())[-len(shown) :]
            self.same(f"facet {facet['name']} of {text}", sorted(shown.values()), most)
            self.same(f"facet {facet['name']} of {text}", shown, {key: numbers[key] for key in shown})
            self.same(f"length of facet {facet['name']}", len(shown) >= min(12, len(numbers)), True)
        for name, numbers in wanted.items():
            self.same(f"facet {name} of {text}", {}, dict(numbers))

    def suggestions(self) -> None:
        """What is proposed while typing: people, spaces and pages by their own words."""
        on = model.is_on(self.world, "search", self.name, None)
        found = model.found_by(self.world, self.name) if on else set()
        for key, space in self.some(self.world.spaces.items(), 4):
            shown = [one["title"] for one in self.get("/rse/search/suggest", q=space.word) or []]
            expected = [f"Cercle {space.word}"] if model.Found("space", key) in found else []
            self.same(f"proposed for {space.word} ({key})", shown, expected)
        for page in self.some(self.world.pages, 2):
            shown = [one["title"] for one in self.get("/rse/search/suggest", q=page.word) or []]
            expected = [page for page in [page] if any(one.what == page.key for one in found)]
            self.same(f"proposed for {page}", shown, [f"Page {one.word} {COMMON}" for one in expected])
        for name in self.some(self.world.people, 2):
            person = self.world.people[name]
            shown = [one["title"] for one in self.get("/rse/search/suggest", q=person.word) or []]
            expected = [f"Camille {person.word}"] if any(one.what == name for one in found) else []
            self.same(f"proposed for {name}", shown, expected)
        # What is a slip away from a word is proposed to who finds that word, and to nobody else.
        for post in self.some(self.world.posts.values(), 2):
            typed = post.word[:-1] + "z"
            body = self.get(f"{API}/search", q=typed) or {"items": [], "better": ""}
            seen = model.Found("post", post.number, post.author, post.space, self.world.people[post.author].entity) in found
            self.same(f"meant by {typed} ({post})", post.word in json.dumps(body), seen)

    # -- what is told -----------------------------------------------------------------------------------------------------

    def notifications(self) -> None:
        """The list, its unread ones, and the number on the bell."""
        on = model.is_on(self.world, "notifications", self.name, None)
        cards = {(kind, ("card", number)) for kind, number in slow.told_now(self.world, self.name)} if on else set()
        expected = model.told_now(self.world, self.name) | cards if on else set()
        for only in ("false", "true"):
            lines = self.pages(f"{API}/notifications", unread=only)
            shown = []
            for line in lines:
                kind, _colon, ident = line["ref"].partition(":")
                if kind in ("feed.post", "comments.comment"):
                    shown.append((line["type"], ("comment" if kind[0] == "c" else "post", int(ident))))
                elif kind == "kanban.card":
                    shown.append((line["type"], ("card", int(ident))))
            self.same(f"notifications (unread: {only})", set(shown), expected)
            self.same(f"notifications (unread: {only}), each once", len(shown), len(set(shown)))
        others = len(self.pages(f"{API}/notifications")) - len(shown)
        with self.site.core.db.read() as session:
            counted = model.told_now(self.world, self.name, counted=True) | cards if on else set()
            self.same("bell", unread(session, self.site.id(self.name), 10_000), len(counted) + others)

    def names(self) -> None:
        """Who may be named: in a post for each audience, and under posts."""
        from rse_core import mentions

        for key, audience, space in self.site.audiences_of(self.name):
            expected = model.nameable(self.world, audience, space)
            for name in self.some(self.world.people, 2):
                shown = self.get("/rse/feed/names", audience=key, q=self.world.people[name].word)
                if shown is not None:
                    there = [name] if name in expected else []
                    self.same(f"{name} to name for {key}", [one["username"] for one in shown], there)
            shown = {one["username"] for one in self.get("/rse/feed/names", audience=key, q="camille") or ()}
            self.same(f"names for {key}", shown <= expected and len(shown) == min(8, len(expected)), True)
        for post in self.some(self.world.posts.values(), 4):
            open_ = model.may_comment(self.world, self.name, post)
            shown = self.get("/rse/comments/suggest", ref=f"feed.post:{post.number}", q="camille")
            self.same(f"names under {post}", shown is not None, open_)
            if shown is not None:
                expected = {name for name in self.world.people if model.sees_comments(self.world, name, post)}
                found = {one["username"] for one in shown}
                self.same(f"names under {post}", found - expected, set())
        assert mentions.SUGGESTIONS == 8

    # -- comments ---------------------------------------------------------------------------------------------------------

    def comments(self) -> None:
        """The comments of each post and their number, where they are shown; elsewhere nothing, not even the number."""
        for post in self.some(self.world.posts.values(), 15):
            if not any(one.post == post.number for one in self.world.comments.values()):
                continue
            body = self.get(f"{API}/comments", ref=f"feed.post:{post.number}", limit=100)
            shown = model.sees_comments(self.world, self.name, post) and model.is_on(self.world, "comments", self.name, None)
            self.same(f"comments shown of {post}", body is not None, shown)
            if body is None:
                continue
            published = model.comments_of(self.world, post)
            self.same(f"number of comments of {post}", body["count"], len(published))
            waits = {
                one.number for one in model.comments_of(self.world, post, "pending")
                if one.author == self.name or model.moderates_comment(self.world, self.name, post, one)
            }  # fmt: skip
            every = [one for top in body["items"] for one in (top, *top.get("replies", ()))]
            alive = {one["id"] for one in every if one["state"] != "deleted"}
            self.same(f"comments of {post}", alive, {one.number for one in published} | waits)
        for comment in self.some(self.world.comments.values(), 6):
            post = self.world.posts[comment.post]
            shown = comment.state != "deleted" and model.opens_comment(self.world, self.name, post, comment)
            shown = shown and model.is_on(self.world, "comments", self.name, None)
            answer = self.client.get(f"{API}/comments/{comment.number}")
            if comment.state != "deleted":
                self.same(f"opening {comment} on {post}", answer.status_code == 200, shown)
            if answer.status_code == 404 and not model.is_in(self.world, self.name, post.audience):
                never = self.client.get(f"{API}/comments/{NOBODYS}")
                self.same(f"refusal of {comment}", answer.get_json().get("detail"), never.get_json().get("detail"))
        with self.site.core.db.read() as session:
            refs = [ObjectRef("feed.post", str(post.number)) for post in self.world.posts.values()]
            counted = comment_access.readable  # one at a time, as a page of a thread does
            for ref in refs[:: max(1, len(refs) // 30)]:
                post = self.world.posts[int(ref.id)]
                try:
                    counted(session, self.site.id(self.name), ref)
                    found = True
                except NotFound:
                    found = False
                shown = model.sees_comments(self.world, self.name, post)
                if model.is_on(self.world, "comments", self.name, post.space):
                    self.same(f"thread of {post}", found, shown)

    # -- spaces -----------------------------------------------------------------------------------------------------------

    def spaces(self) -> None:
        """The directory, each space's page and members."""
        sees = model.may_anywhere(self.world, self.name, "communities.see")
        expected = model.in_directory(self.world, self.name) if sees else set()
        shown = self.pages(f"{API}/communities", limit=100)
        self.same("directory", {row["key"] for row in shown}, expected)
        for row in shown:
            self.same(f"number of members of {row['key']}", row["members"], len(model.members_of(self.world, row["key"])))
        for key in self.some(self.world.spaces, 5):
            card = self.client.get(f"{API}/communities/{key}")
            known = card.status_code in (200, 403) and not self.person.disabled
            self.same(f"knowing of {key}", known, model.knows(self.world, self.name, key))
            if card.status_code == 404 and not self.person.disabled:
                never = self.client.get(f"{API}/communities/there-is-none")
                self.same(f"refusal of {key}", card.get_json().get("detail"), never.get_json().get("detail"))
            members = {row["person"]["username"] for row in self.pages(f"{API}/communities/{key}/members", limit=100)}
            inside = model.sees_inside(self.world, self.name, key)
            self.same(f"members of {key}", members, model.members_of(self.world, key) if inside else set())

    # -- what is kept about a person --------------------------------------------------------------------------------------

    def export(self) -> None:
        """An export holds all that one wrote, and nothing that another did."""
        with self.site.core.db.read() as session, use_locale("en"):
            told = json.dumps(privacy.export(session, self.site.id(self.name)), default=str, ensure_ascii=False)
        for thing in (*self.world.posts.values(), *self.world.comments.values()):
            if thing.author == self.name and thing.state != "deleted":
                self.same(f"export has {thing}", thing.word in told, True)
            elif thing.author != self.name:
                self.same(f"export has {thing}", thing.word in told, False)
        for card in self.world.cards.values():
            worked = self.name in card.people | card.lines and card.state in ("open", "archived")
            seen = worked and slow.reads(self.world, self.name, slow.board_of(self.world, card))
            self.same(f"export has {card}", card.word in told, card.author == self.name or seen)
        for name, person in self.world.people.items():
            if name != self.name:
                self.same(f"export names {name}", person.word in told, False)


def compare(site: Site, client: Any, names: Iterable[str]) -> list[str]:
    """All differences of these people."""
    found: list[str] = []
    for name in names:
        found += Comparison(site, client, name).everything()
    return found


__all__ = ["EVERYONE", "REACT", "Comparison", "compare"]
