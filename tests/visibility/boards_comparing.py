"""What a person is shown of boards, asked through pages, REST and services, beside what the slow model says."""

from __future__ import annotations

import json
from typing import Any

import visibility_boards as slow
import visibility_model as model

from rse_core.api import Actor, Forbidden, NotFound, ObjectRef, use_locale
from rse_core.testing import as_person
from rse_kanban import access, addresses, exporting, figures, listing, reading, workload

API = "/rse/api/v1/kanban"
NOBODYS = 987_654_321


class BoardsComparison:
    """The part of a comparison that is about boards."""

    site: Any
    world: Any
    name: str
    client: Any
    same: Any
    some: Any
    get: Any

    def said(self, html: str) -> set[int]:
        """The cards of which a text says a word."""
        return {card.number for card in self.world.cards.values() if card.word in html}

    def boards(self) -> None:
        """The lists of boards, those put away too, with how much is to do on each."""
        expected = {board.number for board in slow.listed(self.world, self.name)}
        body = self.get(f"{API}/boards")
        self.same("boards", {row["id"] for row in (body or {"items": ()})["items"]}, expected)
        with self.site.core.db.read() as session, use_locale("en"):
            for archived, state in ((False, "open"), (True, "archived")):
                found = listing.boards(session, self.site.id(self.name), archived=archived)
                wanted = {board.number for board in slow.listed(self.world, self.name, state)}
                self.same(f"boards that are {state}", {one.board.id for one in found}, wanted)
            for board in self.world.boards.values():
                listens = access.may_listen(session, self.site.id(self.name), str(board.number))
                self.same(f"hears of changes on {board}", listens, slow.reads(self.world, self.name, board))
                refusal = self.board_refusal(session, board.number)
                self.same(f"opening {board}", refusal == "", slow.reads(self.world, self.name, board))
                known = board.audience is not None and model.is_in(self.world, self.name, board.audience)
                if refusal and not known and board.author != self.name:
                    self.same(f"refusal of {board}", refusal, self.board_refusal(session, NOBODYS))
        html = self.client.get("/rse/kanban/").get_data(as_text=True)
        shown = {board.number for board in self.world.boards.values() if board.word in html}
        self.same("page of boards", shown, expected)

    def board_refusal(self, session: Any, number: int) -> str:
        try:
            access.open_board(session, self.site.id(self.name), number)
        except (Forbidden, NotFound) as error:
            return str(error)
        return ""

    def whole_boards(self) -> None:
        """Each board with its cards, in REST, on its page, in what a page asks for anew, in its exports and its figures."""
        person_id = self.site.id(self.name)
        for board in self.some(self.world.boards.values(), 9):
            opened = slow.reads(self.world, self.name, board)
            cards = {card.number for card in slow.on_board(self.world, self.name, board)}
            body = self.get(f"{API}/boards/{board.number}")
            self.same(f"REST of {board}", body is not None, opened)
            for path in ("", "/state?since=0", "/figures", "/activity"):
                answer = self.client.get(f"/rse/kanban/boards/{board.number}{path}")
                self.same(f"{path or 'page'} of {board}", answer.status_code == 200, opened)
                wanted = cards if path[:6] in ("", "/state") else None
                shown = self.said(answer.get_data(as_text=True))
                if wanted is not None:
                    self.same(f"cards in {path or 'the page'} of {board}", shown, wanted)
                else:
                    allowed = {one.number for one in self.world.cards.values() if slow.opens(self.world, self.name, one)}
                    self.same(f"cards beyond in {path} of {board}", shown - allowed, set())
            if body is None:
                continue
            self.same(f"cards of {board}", {row["id"] for row in body["cards"]}, cards)
            count = sum(row["count"] for row in body["columns"])
            self.same(f"number of cards of {board}", count, slow.counts(self.world, board))
            with self.site.core.db.read() as session:
                chair = access.open_board(session, person_id, board.number)
                self.same(f"role on {board}", chair.role, slow.role(self.world, self.name, board))
                self.same(f"writes on {board}", chair.writable, slow.does(self.world, self.name, board, slow.WRITE))
                self.same(f"moves on {board}", chair.movable, slow.does(self.world, self.name, board, slow.MOVE))
                self.same(f"manages {board}", chair.manageable, slow.manages(self.world, self.name, board))
                away = {
                    card.number for card in self.world.cards.values()
                    if card.board == board.number and card.state == "archived"
                }  # fmt: skip
                told = json.loads(exporting.as_json(session, person_id, board.number))
                self.same(f"export of {board}", {row["id"] for row in told["cards"]}, cards | away)
                self.same(f"CSV of {board}", self.said(exporting.as_csv(session, person_id, board.number)), cards | away)
                oldest = {one.card_id for one in figures.of_board(session, person_id, board.number).oldest}
                across = [one for one in slow.across(self.world, self.name) if one.board == board.number]
                seen = {one.number for one in across if not one.done}
                self.same(f"what has stood longest on {board}", oldest <= seen and len(oldest) == min(10, len(seen)), True)

    def cards(self) -> None:
        """Each card's own page; what stands around it is shown to who may see that too."""
        person_id = self.site.id(self.name)
        with self.site.core.db.read() as session, use_locale("en"):
            for card in self.world.cards.values():
                try:
                    reading.sheet(session, person_id, card.number)
                    refusal = ""
                except (Forbidden, NotFound) as error:
                    refusal = str(error)
                self.same(f"opening {card}", refusal == "", slow.opens(self.world, self.name, card))
        allowed = {card.number for card in self.world.cards.values() if slow.opens(self.world, self.name, card)}
        for card in self.some(self.world.cards.values(), 12):
            opened = slow.opens(self.world, self.name, card)
            page, rest = self.client.get(f"/rse/kanban/cards/{card.number}"), self.client.get(f"{API}/cards/{card.number}")
            self.same(f"page and REST of {card}", (page.status_code == 200, rest.status_code == 200), (opened, opened))
            html = page.get_data(as_text=True) + rest.get_data(as_text=True)
            self.same(f"cards around {card}", self.said(html) - allowed, set())
            if opened:
                self.same(f"word of {card}", card.word in html, True)
                near = {card.parent, *card.blocks} | {
                    one.number for one in self.world.cards.values() if card.number in (one.parent, *one.blocks)
                }
                shown = {one.number for one in slow.across(self.world, self.name)} & near
                self.same(f"what is around {card}", shown - self.said(html), set())
            post = self.world.posts.get(card.about)
            if post is not None:
                may = opened and post.state in ("published", "archived") and model.reads(self.world, self.name, post)
                self.same(f"what {card} is about ({post})", post.word in html, may)

    def work(self) -> None:
        """One's own cards and lines, and how much each has on their hands."""
        mine = {card.number for card in slow.mine(self.world, self.name)}
        body = self.get(f"{API}/mine")
        if body is not None:
            self.same("my cards", {row["id"] for row in body["items"]}, mine)
        html = self.client.get("/rse/kanban/mine").get_data(as_text=True)
        lines = {card.number for card in slow.my_lines(self.world, self.name)}
        self.same("page of my cards", self.said(html), mine | lines if "<h1" in html else set())
        with self.site.core.db.read() as session, use_locale("en"):
            for key, space in self.some(self.world.spaces.items(), 5):
                boards = [board for board in slow.listed(self.world, self.name) if board.space == key]
                try:
                    found = workload.team(session, self.site.id(self.name), space_key=key)
                except NotFound:
                    found = None
                every = [
                    one for one in self.world.boards.values()
                    if one.space == key and one.state != "deleted" and slow.reads(self.world, self.name, one)
                ]  # fmt: skip
                self.same(f"work in {space.key} is shown", found is not None, bool(every))
                if found is not None:
                    shown = {load.person.username: load.all for load in found if load.all}
                    self.same(f"work in {key}", shown, slow.load(self.world, self.name, boards))

    def calendars(self) -> None:
        """What programs and screens read at addresses of the person's, made now."""
        actor = Actor(self.name, self.site.id(self.name))
        readable = [board for board in self.world.boards.values() if slow.reads(self.world, self.name, board)]
        places = [None, *self.some(readable, 2)]
        tokens = []
        with self.site.core.db.write() as session, use_locale("en"):
            for board in places:
                tokens.append(addresses.create(session, actor, "calendar", "x", board_id=board and board.number)[1])
            shown = self.some(readable, 1)
            screens = [(one, addresses.create(session, actor, "screen", "x", board_id=one.number)[1]) for one in shown]
        client = as_person(self.client, None)
        for board, token in zip(places, tokens, strict=True):
            text = client.get(f"/rse/kanban/calendar/{token}.ics").get_data(as_text=True).replace("\r\n ", "")
            cards = slow.mine(self.world, self.name)
            if board is not None:
                cards = [card for card in slow.on_board(self.world, self.name, board) if card.state == "open"]
            expected = {card.number for card in cards if card.dated} if not self.world.people[self.name].disabled else set()
            self.same(f"calendar of {board}", self.said(text), expected)
        for board, token in screens:
            html = client.get(f"/rse/kanban/screen/{token}").get_data(as_text=True)
            cards = {card.number for card in slow.on_board(self.world, self.name, board) if card.state == "open"}
            self.same(f"screen of {board}", self.said(html), cards)
        with self.site.core.db.write() as session:
            for one in addresses.of_person(session, self.site.id(self.name)):
                addresses.revoke(session, actor, one.row.id)
        as_person(self.client, self.name)

    def beside(self) -> None:
        """Cards under the posts that they were made of; boards on the pages of spaces."""
        made_of = {card.about for card in self.world.cards.values()}
        about = [post for post in self.world.posts.values() if post.number in made_of]
        seen = {card.number for card in slow.across(self.world, self.name)}
        for post in self.some(about, 4):
            html = self.client.get(f"/rse/feed/posts/{post.number}").get_data(as_text=True)
            made = {card.number for card in self.world.cards.values() if card.about == post.number}
            self.same(f"cards of {post}", self.said(html) - (made & seen), set())
        for key in self.some(self.world.spaces, 3):
            html = self.client.get(f"/rse/communities/{key}/").get_data(as_text=True)
            shown = {board.number for board in self.world.boards.values() if board.word in html}
            listed = {board.number for board in slow.listed(self.world, self.name) if board.space == key}
            self.same(f"boards on the page of {key}", shown - listed, set())


__all__ = ["BoardsComparison", "ObjectRef"]
