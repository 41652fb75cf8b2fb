"""A secret space is absent everywhere: every address is walked by who does not belong to it, and nothing of it is ever said;
what is asked about it is answered, word by word, as what is asked about a space that there is not."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from sqlalchemy import func, select
from visibility_walking import Secret, Walk

from rse_comments import service as comments
from rse_comments.models import Comment
from rse_communities import bulk, creating, feeding, inviting
from rse_communities.access import find
from rse_core import audiences, files, handover_acts, organisation, people
from rse_core.api import Actor, Event, ObjectRef, emit, utcnow
from rse_core.extension import create_app
from rse_core.models.content import Page
from rse_core.models.governance import Held
from rse_core.models.organisation import SpaceMember
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import acting, drafting, publishing
from rse_feed.models import Post, Topic
from rse_feed.texts import Written
from rse_governance import cases, charters, wording
from rse_governance.models import Binned, Case, WordRule
from rse_kanban import boards, cards, checklist
from rse_kanban import columns as board_columns
from rse_kanban.models import Card, CardRevision
from rse_kanban.placing import Place
from rse_likes import service as likes


def run(core):
    while core.jobs.run_due():
        pass


@pytest.fixture
def secret(core):
    """An organisation with a secret space that is full of everything."""
    found = Secret()
    words, key = found.words, found.key
    set_level(core, "cocreate")
    owner = make_person(core, "camille", name="Camille Dubois", entity=make_entity(core, "north"))
    guest = make_person(core, words["external"], name=f"Alix {words['outside']}", external=True)
    make_person(core, "robin", name="Robin Moreau")
    make_entity(core, "west")
    with core.db.write() as session:
        space = organisation.add_space(session, key, f"Cercle {words['name']}", visibility="secret")
        organisation.join_space(session, space.id, owner.id, "owner")
        organisation.join_space(session, space.id, guest.id, "external")
    run(core)

    def write(part, **values):
        body = f"Il pleut {words[part]} #{words['topic']} @{words['external']}"
        with core.db.write() as session:
            written = Written(body, f"Titre {words['title']} {words[part]}", f"space:{key}", **values)
            return drafting.write(session, owner.id, written).post

    with core.db.write() as session:
        content = io.BytesIO(b"Bonjour, ceci est un texte.\n")
        file = files.keep(session, owner.id, content, f"{words['file']}.txt").key
    post = write("body", announcement=True, must_read=True, files=(file,), alts={file: words["alt"]})
    write("draft", act="draft")
    write("later", act="schedule", publish_at=(utcnow() + dt.timedelta(days=30)).isoformat())
    hidden, ref = write("hidden"), ObjectRef("feed.post", str(post.id))
    page = f"/cercle/{words['page']}"
    with core.db.write() as session:
        remark = comments.write(session, owner.id, ref, f"Moi {words['remark']}").id
        likes.react(session, guest.id, ref, "like")
        acting.pin(session, Actor("camille", owner.id), post.id)
        acting.hide(session, Actor("camille", owner.id), hidden.id, words["reason"])
        members = audiences.of_members(session, space.id)
        session.add(Page(key=page, address=page, title=words["page"], published_at=utcnow(), audience_id=members))
        session.flush()
        emit(session, Event("page.published", None, ObjectRef("page", page)))
        for name in ("communities.opened", "communities.joined"):
            emit(session, Event(name, owner.id, organisation.space_ref(space.id)))
        version = find(session, owner.id, key).profile.version
        creating.change(session, owner.id, key, purpose=words["purpose"], version=version)
        invitation = inviting.invite(session, owner.id, key, "robin", message=words["message"]).id
        feeder = feeding.add(session, owner.id, key, "entity", "west").id
        batch = bulk.send(session, owner.id, key, "remove", [[1, "robin", ""]]).id
    governed = govern(core, found, owner, guest, ref, write)
    handed = hand_over(core, found)
    governed |= plan(core, found, owner, ref)
    run(core)
    with core.db.read() as session:
        topic = session.scalars(select(Topic.id).where(Topic.key == words["topic"])).one()
    found.post, found.file, found.space = post.id, file, space.id
    found.ids = {
        "post_id": post.id, "comment_id": remark, "topic_id": topic, "person_id": guest.id, "subscription_id": 1,
        "invitation_id": invitation, "request_id": 1, "feeder_id": feeder, "batch_id": batch, "session_id": 1,
        "handover_id": handed, **governed,
        "wave": 1,
    }  # fmt: skip
    return found


def plan(core, secret, owner, ref):
    """A board of the space with everything on it."""
    words = secret.words
    with core.db.write() as session:
        board = boards.create(session, owner.id, f"space:{secret.key}", words["board"], columns=[(words["column"], "todo")])
        lane = board_columns.add_lane(session, owner.id, board.id, words["lane"])
        label = board_columns.keep_label(session, owner.id, board.id, words["label"], 1)
        session.flush()
        [column] = board_columns.placing.columns_of(session, board.id)
        written = cards.Written(words["card"], f"Il pleut {words['body']}", labels=[label.id], people=[owner.id])
        card = cards.create(session, owner.id, Place(column.id, lane.id), written, about=ref)
        cards.edit(session, owner.id, card.id, cards.Written(body=f"Il a plu {words['body']}"), version=card.version)
        session.flush()
        item = checklist.add(session, owner.id, card.id, words["line"])
        comments.write(session, owner.id, ObjectRef("kanban.card", str(card.id)), f"Moi {words['remark']}")
        session.flush()
        return {
            "board_id": board.id, "column_id": column.id, "lane_id": lane.id, "label_id": label.id, "card_id": card.id,
            "item_id": item.id, "import_id": 1, "address_id": 1,
            "revision_id": session.scalars(select(CardRevision.id).where(CardRevision.card_id == card.id)).one(),
        }  # fmt: skip


def govern(core, secret, owner, guest, ref, write):
    """What moderators of the space see there: something held, reported, deleted, looked for; and its charter."""
    words, key = secret.words, secret.key
    binned = write("binned")
    with core.db.write() as session:
        publishing.delete(session, owner.id, binned.id)
        wording.add(session, owner.id, where=f"space:{key}", act="hold", words=words["rule"], message=words["rule"])
        cases.report(session, guest.id, ref, kind="other", text=words["report"])
    with core.db.write() as session:
        comments.write(session, guest.id, ref, f"{words['held']} {words['rule']}")
        title = words["charter"]
        made = charters.publish(session, owner.id, space=key, title=title, body=title, kind="editorial")
    with core.db.read() as session:
        held = session.scalars(select(Held.id)).one()
        rule, case = session.scalars(select(WordRule.id)).one(), session.scalars(select(Case.id)).one()
        return {
            "held_id": held, "rule_id": rule, "case_id": case, "charter_id": made.id, "tool_id": 1,
            "binned_id": session.scalars(select(Binned.id)).one(),
        }  # fmt: skip


def hand_over(core, secret):
    """Somebody who has left wrote there, and its owner keeps it."""
    leaver, key = make_person(core, "lou", name="Lou Parti"), secret.key
    with core.db.write() as session:
        organisation.join_space(session, organisation.space_by_key(session, key).id, leaver.id)
    with core.db.write() as session:
        drafting.write(session, leaver.id, Written(f"Il pleut {secret.words['body']}", "", f"space:{key}"))
        people.disable(session, leaver.id)
    with core.db.write() as session:
        (done,) = handover_acts.give(session, "lou", {f"space:{key}": "camille"}, actor=Actor("test"))
    return done.id


@pytest.fixture
def outsiders(core, secret):
    """Who does not belong: a colleague at the highest level, somebody from outside in another space, somebody at the lowest
    level, somebody who has left, and nobody."""
    other, low = make_space(core, "autre", visibility="listed"), make_entity(core, "south")
    set_level(core, "inform", entity=low)
    former = make_person(core, "morgan")
    with core.db.write() as session:
        people.disable(session, former.id)
    found = {
        "colleague": make_person(core, "dominique", name="Dominique Petit", spaces=[other]),
        "external": make_person(core, "sacha", name="Sacha Grand", external=True, spaces=[other]),
        "low": make_person(core, "claude", entity=low),
        "former": former,
        "nobody": None,
    }
    run(core)
    return found


def counted(core, space_id):
    """What asking must not change: who is in the space, what stands in it."""
    with core.db.read() as session:
        posts = session.execute(select(Post.id, Post.state, Post.version).where(Post.space_id == space_id)).all()
        members = session.execute(select(SpaceMember.person_id, SpaceMember.role).filter_by(space_id=space_id)).all()
        rows = session.execute(select(Card.id, Card.state, Card.version, Card.column_id, Card.title)).all()
        remarks = session.scalar(select(func.count()).select_from(Comment))
        return sorted(posts), sorted(members), sorted(rows, key=str), remarks


@pytest.mark.parametrize("who", ["colleague", "external", "low", "former", "nobody"])
def test_nobody_outside_learns_that_there_is_a_secret_space(core, secret, outsiders, who):
    app, before = create_app(core), counted(core, secret.space)
    # A member is shown all of it: a walk that finds nothing must not be one that would find nothing anyhow.
    member = Walk(app, "camille", secret)
    board, card = (f"/rse/kanban/{name}s/{secret.ids[f'{name}_id']}" for name in ("board", "card"))
    pages = ("/rse/feed/", f"/rse/communities/{secret.key}/", "/rse/feed/topics/", "/rse/feed/mine", board, card)
    told = "".join(member.ask("GET", path)[1] for path in pages)
    screens = ("", "words", f"charters?kind=editorial&space={secret.key}")
    moderating = "".join(member.ask("GET", f"/rse/moderation/{path}")[1] for path in screens)
    assert [part for part in ("held", "rule", "charter") if secret.words[part] not in moderating] == []
    parts = ("name", "body", "title", "topic", "file", "outside", "draft", "later", "hidden", "purpose", "board", "card")
    assert [part for part in parts if secret.words[part] not in told] == []
    walk = Walk(app, outsiders[who], secret)
    walk.read(everything=who == "colleague")
    if who in ("colleague", "external"):
        walk.write()
    assert walk.asked > 150
    assert walk.wrong == [], f"{len(walk.wrong)} of {walk.asked}:\n" + "\n".join(walk.wrong[:40])
    assert counted(core, secret.space) == before


def test_the_walk_notices_what_a_member_is_told(core, secret):
    walk = Walk(create_app(core), "camille", secret)
    walk.read(everything=False)
    assert len(walk.wrong) > 30
