"""Boards and cards of the random organisation, made twice: through the services, and in the slow model."""

from __future__ import annotations

import datetime as dt
import random

import visibility_boards as slow
import visibility_model as model
from sqlalchemy import select
from visibility_boards import EVERYONE, Board, Card

from rse_core import roles
from rse_core.api import Actor, ObjectRef, utcnow
from rse_kanban import access, boards, cards, checklist, ending, handling, links, moving
from rse_kanban import roles as board_roles
from rse_kanban.models import Column
from rse_kanban.placing import Place

ADMIN = Actor("visibility")


class Maker:
    """Adds to an organisation. Its draws are its own: what a seed stands for elsewhere does not change with them."""

    def __init__(self, site, word, common):
        self.site, self.world, self.word, self.common = site, site.world, word, common
        self.rng = random.Random(f"{site.seed} boards")

    def build(self, count=12, cards_of=4):
        """Boards of every kind, and on each some cards in every state."""
        # Many work while the boards are made; afterwards the levels are what they were, but for people of one group.
        before = dict(self.world.levels)
        lifted = [{}, {"group": "g0"}, {"group": "g1"}, *({"space": key} for key in ("s0", "s4", "s5", "s6", "s8", "s9"))]
        for where in lifted:
            self.site.level(slow.COLLABORATE, **where)
        self._administrator()
        self._rules()
        self.site.run()
        for number in range(count):
            self._board(number)
        self.site.run()
        number = 0
        for board in list(self.world.boards.values()):
            for _card in range(cards_of):
                self._card(number, board)
                number += 1
        self.site.run()
        self._links()
        self._ends()
        for where in lifted:
            scope, key = next(iter(where.items()), ("site", ""))
            if key != "g1":
                self.site.level(before.get(("level", scope, key), model.INFORM), **where)
        self.site.run()

    def _administrator(self):
        able = [name for name, person in self.world.people.items() if "g1" in person.groups and person.entity]
        able = [name for name in able if not self.world.people[name].external and not self.world.people[name].disabled]
        if able:
            name = self.rng.choice(able)
            key = self.world.people[name].entity
            with self.site.core.db.write() as session:
                roles.grant(
                    session, self.site.id(name), "entity_admin", scope="entity", scope_id=self.site.entity[key].id,
                    actor=ADMIN,
                )  # fmt: skip
            self.world.people[name].grants.add(("entity_admin", "entity", key))

    def _rules(self):
        """Boards are closed to some in a few spaces, and switched off in one."""
        from rse_core import organisation

        kept = self.rng.sample(["s0", "s3", "s4", "s5", "s6", "s8"], 4)
        with self.site.core.db.write() as session:
            for key, who in zip(kept, ("members", "managers", "nobody"), strict=False):
                self.world.spaces[key].rules[slow.READ] = who
                organisation.set_space_rule(session, self.site.space[key].id, slow.READ, who)
        self.site.switch("kanban", False, space=kept[3])

    def places_of(self, name):
        """Where the person may make a board."""
        found = [("me", None, None, None)] if model.may_anywhere(self.world, name, slow.MANAGE) else []
        for key in self.world.people[name].spaces:
            audience = model.audience_of(self.world, key)
            if model.may(self.world, name, slow.MANAGE, audience, key) and model.may(
                self.world, name, slow.READ, audience, key
            ):
                found.append((f"space:{key}", audience, key, None))
        for key in self.world.parents:
            fitting = Board(0, "", name, ("entity", key), None, key)
            if slow.runs(self.world, name, fitting) and model.may(self.world, name, slow.MANAGE, ("entity", key)):
                found.append((f"entity:{key}", ("entity", key), None, key))
        return found

    def _board(self, number):
        rng, world = self.rng, self.world
        able = {name: found for name in world.people if (found := self.places_of(name))}
        if not able:
            return
        # Each kind of place as often as another.
        kind = rng.choice(sorted({place[0].partition(":")[0] for found in able.values() for place in found}))
        choices = [(name, place) for name, found in able.items() for place in found if place[0].startswith(kind)]
        name, (key, audience, space, entity) = rng.choice(choices)
        unique = self.word("b", number)
        with self.site.core.db.write() as session:
            ident = boards.create(session, self.site.id(name), key, f"{self.common} {unique}").id
        board = Board(ident, unique, name, audience, space, entity, came=self.site.tick())
        if audience is not None:
            board.named[name] = "manager"
        world.boards[ident] = board
        if audience is not None and slow.manages(world, name, board):
            self._roles(board, name)

    def _roles(self, board, name):
        rng, seen = self.rng, [one for one in self.world.people if model.is_in(self.world, one, board.audience)]
        with self.site.core.db.write() as session:
            if rng.random() < 0.4:
                boards.change(session, self.site.id(name), board.number, default_role="reader")
                board.usual = "reader"
            for other in rng.sample(seen, min(2, len(seen))):
                if other != name:
                    role = rng.choice(slow.ROLES)
                    board_roles.give(session, self.site.id(name), board.number, f"@{other}", role)
                    board.named[other] = role
            group, role = rng.choice(self.world.groups), rng.choice(slow.ROLES)
            board_roles.give(session, self.site.id(name), board.number, f"group:{group}", role)
            board.groups[group] = role

    def _card(self, number, board):
        rng, world, site = self.rng, self.world, self.site
        writers = [name for name in world.people if slow.does(world, name, board, slow.WRITE)]
        if not writers:
            return
        author, unique = rng.choice(writers), self.word("k", number)
        inside = [name for name in world.people if self._is_in(name, board)]
        people, named = set(rng.sample(inside, min(len(inside), rng.choice((0, 1, 2))))), rng.sample(list(world.people), 1)
        body = " ".join([self.common, *(f"@{name}" for name in named if rng.random() < 0.5)])
        dated = rng.random() < 0.6
        about = self._about(author)
        with site.core.db.write() as session:
            column = session.scalars(
                select(Column.id).where(Column.board_id == board.number).order_by(Column.position)
            ).all()
            row = cards.create(
                session, site.id(author), Place(column[0]),
                cards.Written(
                    f"Carte {unique}", body, utcnow() + dt.timedelta(days=3) if dated else None,
                    people=[site.id(name) for name in sorted(people)],
                ), about=about and ObjectRef("feed.post", str(about)),
            )  # fmt: skip
            ident, state = row.id, row.state
            reviewed = board.space is not None and world.spaces[board.space].reviewed
            held = reviewed and not site.passes_review(author, board.space)
            assert state == ("pending" if held else "open"), (author, board, state)
            lines = set()
            if inside and state == "open" and rng.random() < 0.4:
                line = rng.choice(inside)
                checklist.add(session, site.id(author), ident, f"Ligne {unique}", people=[line])
                lines.add(line)
        named = frozenset(one for one in named if f"@{one}" in body and self._is_in(one, board) and board.audience)
        card = Card(ident, unique, board.number, author, state, people, lines, named, dated=dated, about=about)
        world.cards[ident] = card
        movers = [name for name in world.people if slow.does(world, name, board, slow.MOVE)]
        if state == "open" and movers and rng.random() < 0.2:
            mover = rng.choice(movers)
            with site.core.db.write() as session:
                moving.move(session, site.id(mover), ident, Place(column[-1]), version=None)
            # Who cannot look at the board at that moment is not told, and is not told later either; in a space that is quiet
            # by default nobody is.
            hears = board.space is None or world.spaces[board.space].notify == "all"
            told = {one for one in {*people, author} - {mover} if hears and slow.reads(world, one, board)}
            card.done, card.told = True, frozenset(told)

    def _is_in(self, name, board):
        if board.audience is None:
            return name == board.author
        return model.is_in(self.world, name, board.audience)

    def _about(self, name):
        """A post that this person sees, for some."""
        seen = [post.number for post in model.listed(self.world, name)]
        return self.rng.choice(seen) if seen and self.rng.random() < 0.3 else None

    def _links(self):
        """Cards that wait for others and are parts of others, over boards too, by who sees both."""
        rng, world = self.rng, self.world
        every = [card for card in world.cards.values() if card.state == "open"]
        for card in rng.sample(every, len(every) // 2):
            able = [name for name in world.people if slow.does(world, name, slow.board_of(world, card), slow.WRITE)]
            name = rng.choice(able) if able else None
            others = [one for one in every if one is not card and name and slow.opens(world, name, one)]
            others = [one for one in others if one.number > card.number]
            if not others:
                continue
            other = rng.choice(others)
            with self.site.core.db.write() as session:
                if rng.random() < 0.5:
                    links.link(session, self.site.id(name), card.number, other.number, "blocks")
                    card.blocks.add(other.number)
                else:
                    links.set_parent(session, self.site.id(name), card.number, other.number)
                    card.parent = other.number

    def _ends(self):
        """Some cards are archived, deleted or taken down; a board is archived, another deleted."""
        rng, world, site = self.rng, self.world, self.site
        every = [card for card in world.cards.values() if card.state == "open"]
        for card in rng.sample(every, len(every) // 3):
            board, act = slow.board_of(world, card), rng.choice(("archive", "delete", "hide"))
            able = [name for name in world.people if slow.does(world, name, board, slow.WRITE)]
            with site.core.db.write() as session:
                if act == "archive" and able:
                    ending.archive(session, site.id(rng.choice(able)), card.number)
                    card.state = "archived"
                elif act == "delete" and slow.opens(world, card.author, card):
                    ending.delete(session, site.id(card.author), card.number)
                    card.state = "deleted"
                elif act == "hide" and board.audience is not None:
                    handling.hide(session, str(card.number), ADMIN, "hors charte")
                    card.state = "hidden"
        running = [board for board in world.boards.values() if board.audience is not None]
        for board, gone in zip(rng.sample(running, min(3, len(running))), (False, False, True), strict=False):
            able = [name for name in world.people if slow.manages(world, name, board)]
            if able:
                with site.core.db.write() as session:
                    boards.archive(session, site.id(able[0]), board.number)
                    if gone:
                        boards.remove(session, site.id(able[0]), board.number)
                board.state = "deleted" if gone else "archived"


__all__ = ["EVERYONE", "Maker", "access"]
