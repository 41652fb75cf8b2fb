"""What a card may refer to where there is a search plugin: posts, pages and cards, of what the person may see."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core.api import Event, emit
from rse_core.models.content import Page
from rse_core.pages import PageClaim
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person, make_space
from rse_feed import drafting, publishing
from rse_feed.texts import Written as Post
from rse_kanban import boards, cards, ending, referring
from rse_kanban.cards import Written
from rse_kanban.models import Column
from rse_kanban.placing import Place


def make(site, person, board, title):
    with site.db.write() as session:
        column = session.scalars(select(Column.id).where(Column.board_id == board).order_by(Column.position)).first()
        return cards.create(session, person.id, Place(column), Written(title=title)).id


def post(site, person, body, audience="everyone"):
    with site.db.write() as session:
        return drafting.write(session, person.id, Post(body=body, audience=audience, act="publish")).post.id


def offered(site, person, card, text, **values):
    with site.db.read() as session:
        found = referring.suggest(session, person.id, card, text, **values)
    return {str(one.ref): (one.title, one.kind, one.where) for one in found}


@pytest.fixture
def page(site, settle):
    """A page of the intranet of which its source says that it is for everyone."""
    with site.db.write() as session:
        ref = site.pages.identify(
            session, PageClaim("/rh/taille", title="La taille des arbres", trusted=True), create=True
        ).ref
        session.scalars(select(Page).where(Page.key == ref.id)).one().audience_id = site.policy.everyone()
        emit(session, Event("page.updated", None, ref, site.policy.everyone()))
    settle()
    return ref


def test_posts_pages_and_cards_of_other_boards_are_offered(site, anna, ben, board, page, settle):
    card = make(site, anna, board, "Haie")
    make_space(site, "roof", members=[anna], managers=[ben])
    with site.db.write() as session:
        roof = boards.create(session, ben.id, "space:roof", "Toit").id
    there, here = make(site, ben, roof, "Taille des tuiles"), make(site, anna, board, "Taille de la haie")
    number = post(site, ben, "Qui vient à la taille des rosiers samedi ?")
    settle()
    found = offered(site, anna, card, "taille")
    assert found[f"kanban.card:{here}"] == ("Taille de la haie", "card", "Chantier")
    assert found[f"kanban.card:{there}"] == ("Taille des tuiles", "card", "Toit")
    assert found[f"feed.post:{number}"][1:] == ("post", "")
    assert found[str(page)] == ("La taille des arbres", "page", "")
    for text in ('"', "((", "author:x y", "-taille", "* OR", "taille NEAR", "'"):
        offered(site, anna, card, text)
    assert set(offered(site, anna, card, "taille", only_cards=True)) == {f"kanban.card:{here}", f"kanban.card:{there}"}


def test_what_others_alone_may_see_is_offered_to_nobody_else(site, anna, ben, board, settle):
    card = make(site, anna, board, "Haie")
    make_space(site, "roof", visibility="secret", managers=[ben])
    with site.db.write() as session:
        roof = boards.create(session, ben.id, "space:roof", "Toit").id
    hidden, number = make(site, ben, roof, "Taille secrète"), post(site, ben, "taille secrète", "space:roof")
    settle()
    assert offered(site, anna, card, "taille") == {}
    assert set(offered(site, ben, card, "taille")) == {f"kanban.card:{hidden}", f"feed.post:{number}"}


def test_what_the_index_still_holds_and_is_gone_is_not_offered(site, anna, ben, board, settle):
    card, other = make(site, anna, board, "Haie"), make(site, anna, board, "Taille")
    number = post(site, ben, "taille des rosiers")
    settle()
    assert set(offered(site, anna, card, "taille")) == {f"kanban.card:{other}", f"feed.post:{number}"}
    with site.db.write() as session:
        publishing.delete(session, ben.id, number)
        ending.delete(session, anna.id, other)
    assert offered(site, anna, card, "taille") == {}


def test_it_costs_as_many_queries_whatever_there_is(site, anna, ben, board, settle):
    make_person(site, "cleo")
    card = make(site, anna, board, "Haie")
    make_space(site, "roof", members=[anna], managers=[ben])
    with site.db.write() as session:
        roof = boards.create(session, ben.id, "space:roof", "Toit").id

    def cost():
        with count_queries(site) as count:
            offered(site, anna, card, "taille")
        return len(count)

    for once in range(2):
        make(site, ben, roof, f"Taille {once}")
        post(site, ben, f"taille {once}")
    settle()
    cost()
    few = cost()
    for once in range(2, 8):
        make(site, ben, roof, f"Taille {once}")
        post(site, ben, f"taille {once}")
    settle()
    assert cost() == few
