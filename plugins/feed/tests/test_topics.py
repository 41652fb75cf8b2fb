"""Topics: what a text names, whom they are known to, and who looks after them."""

from __future__ import annotations

import pytest

from rse_core import audiences, roles
from rse_core.api import Actor, BadInput, Conflict, Forbidden, NotFound
from rse_core.notify import unread
from rse_core.organisation import leave_space
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_feed import drafting, topics
from rse_feed.models import Post
from rse_feed.texts import Written


def write(core, person, body, audience="everyone", **values):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience, **values)).post


def names(core, person, **values):
    with core.db.read() as session:
        return [(one.name, one.posts) for one in topics.page(session, person.id, **values)[0]]


def one(core, person, key, space=None):
    with core.db.read() as session:
        return topics.find(session, person.id, key, space)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("#Retraite et #retraite, #œuvre", ["Retraite", "œuvre"]),
        ("`#code` et ```\n#bloc\n``` #vrai.", ["vrai"]),
        ("https://x.example/#ancre [x](#ancre) &#233; n°#12 #12 a#b ##c", []),
        ("# Titre\n#déménagement-2027!", ["déménagement-2027"]),
    ],
)
def test_words_of_a_text(body, found):
    assert topics.words(body) == found


def test_one_topic_however_it_is_written(site, anna):
    write(site, anna, "Le #Départ")
    write(site, anna, "un #depart et un #DÉPART")
    assert names(site, anna) == [("Départ", 2)]


def test_chosen_ones_stay_when_the_text_changes_and_words_go_with_it(site, anna):
    post = write(site, anna, "Texte #ancien", topics=("Temps de travail",))
    with site.db.write() as session:
        drafting.edit(session, anna.id, post.id, Written(body="Texte #nouveau", audience="everyone"), version=1)
    with site.db.read() as session:
        assert {one.name for one in topics.of(session, [post.id])[post.id]} == {"Temps de travail", "nouveau"}


def test_a_post_is_about_so_many_topics_and_no_more(site, anna):
    with pytest.raises(BadInput) as error:
        write(site, anna, "x", topics=tuple(f"t{number}" for number in range(6)))
    assert "topics" in error.value.fields
    with pytest.raises(BadInput):
        write(site, anna, "x", topics=("<script>",))
    post = write(site, anna, " ".join(f"#mot{letter}" for letter in "abcdefgh"))
    with site.db.read() as session:
        assert len(topics.of(session, [post.id])[post.id]) == 5


def test_a_space_has_its_own_topics_and_uses_those_of_the_site(site, anna):
    space = make_space(site, "jardin", members=[anna])
    write(site, anna, "#budget")
    write(site, anna, "#semis", audience="space:jardin")
    write(site, anna, "#budget", audience="space:jardin")
    write(site, anna, "#semis")
    assert one(site, anna, "budget").space_id == 0
    assert one(site, anna, "semis", "jardin").space_id == space.id
    assert one(site, anna, "semis").space_id == 0
    assert names(site, anna) == [("budget", 2), ("semis", 1), ("semis", 1)]


def test_a_topic_of_a_secret_space_is_not_there_for_others(site, anna, ben):
    make_space(site, "secret", visibility="secret", members=[anna])
    write(site, anna, "#fusion", audience="space:secret")
    topic = one(site, anna, "fusion")
    with site.db.read() as session:
        said = set()
        for ask in (
            lambda: topics.find(session, ben.id, "fusion"),
            lambda: topics.find(session, ben.id, "fusion", "secret"),
            lambda: topics.get(session, ben.id, topic.id),
            lambda: topics.get(session, ben.id, 10**6),
        ):
            with pytest.raises(NotFound) as error:
                ask()
            said.add(str(error.value))
        assert len(said) == 1
        assert topics.suggest(session, ben.id, "fus", space_key="secret") == []
        assert [found.name for found in topics.suggest(session, anna.id, "fus", space_key="secret")] == ["fusion"]
    with site.db.write() as session, pytest.raises(NotFound):
        topics.follow(session, ben.id, topic.id)
    assert names(site, ben) == []


def test_who_follows_and_leaves_a_space_does_not_see_its_topic_any_more(site, anna, ben):
    space = make_space(site, "secret", visibility="secret", members=[anna, ben])
    write(site, anna, "#fusion", audience="space:secret")
    topic = one(site, ben, "fusion")
    with site.db.write() as session:
        topics.follow(session, ben.id, topic.id)
        leave_space(session, space.id, ben.id)
    assert names(site, ben, followed=True) == []


def test_drafts_count_nowhere(site, anna, ben):
    write(site, anna, "#brouillon", act="draft")
    assert names(site, ben) == names(site, anna) == []


def test_followers_are_told_of_what_is_for_them_and_once(site, anna, ben):
    entity = make_entity(site, "nord")
    carl = make_person(site, "carl", entity=entity)
    write(site, anna, "#sport")
    topic = one(site, ben, "sport")
    site.jobs.run_due()
    with site.db.write() as session:
        for person in (anna, ben, carl):
            topics.follow(session, person.id, topic.id)
        topics.follow(session, ben.id, topic.id)
        nord = audiences.of_entity(session, entity.id)
    write(site, anna, "Encore #sport")
    with site.db.write() as session:
        post = Post(author_id=anna.id, audience_id=nord, state="draft", body="#sport au nord")
        session.add(post)
        session.flush()
        topics.keep(session, post)
        from rse_feed import publishing

        publishing.published(session, post)
    site.jobs.run_due()
    with site.db.read() as session:
        assert [unread(session, person.id) for person in (anna, ben, carl)] == [0, 1, 2]


def test_somebody_below_the_level_of_reading_is_not_told(site, anna, ben):
    write(site, anna, "#sport")
    with site.db.write() as session:
        topics.follow(session, ben.id, topics.find(session, ben.id, "sport").id)
    entity = make_entity(site, "loin")
    set_level(site, "inform", entity=entity)
    from rse_core import people

    with site.db.write() as session:
        people.move(session, ben.id, entity.id)
    write(site, anna, "Encore #sport")
    site.jobs.run_due()
    with site.db.read() as session:
        assert unread(session, ben.id) == 0


def test_looking_after_topics(site, anna, ben):
    space = make_space(site, "jardin", members=[ben], managers=[anna])
    for word in ("semis", "graines"):
        write(site, ben, f"#{word}", audience="space:jardin")
    write(site, ben, "#graines")
    semis, graines = one(site, ben, "semis"), one(site, ben, "graines", "jardin")
    mine, theirs = Actor("anna", anna.id), Actor("ben", ben.id)
    with site.db.write() as session, pytest.raises(Forbidden):
        topics.rename(session, theirs, semis.id, "Semences")
    with site.db.write() as session, pytest.raises(Conflict):
        topics.rename(session, mine, semis.id, "GRAINES")
    with site.db.write() as session, pytest.raises(BadInput):
        topics.merge(session, mine, semis.id, semis.id)
    with site.db.write() as session, pytest.raises(Forbidden):
        topics.make_global(session, mine, graines.id)
    with site.db.write() as session:
        topics.follow(session, ben.id, semis.id)
        merged = topics.merge(session, mine, semis.id, graines.id)
        assert (merged.id, topics.get(session, ben.id, graines.id).followed) == (graines.id, True)
        roles.grant(session, anna.id, "site_admin", actor=Actor("test"))
    with site.db.write() as session:
        everywhere = topics.make_global(session, mine, graines.id)
        assert everywhere.space_id == 0
        assert topics.get(session, ben.id, everywhere.id).followed
    assert names(site, ben) == [("graines", 3)]
    assert space.id


def test_a_list_costs_the_same_for_one_topic_as_for_forty(site, anna):
    def cost():
        with site.db.read() as session, count_queries(site) as count:
            topics.page(session, anna.id)
        return len(count)

    write(site, anna, "#a")
    first = cost()
    with site.db.write() as session:
        for number in range(40):
            post = Post(author_id=anna.id, audience_id=audiences.everyone(session), state="published", body=f"#t{number}x")
            session.add(post)
            session.flush()
            topics.keep(session, post)
    assert cost() == first == 2


def test_pages_of_topics_join_without_a_gap(site, anna):
    with site.db.write() as session:
        for number in range(7):
            post = Post(author_id=anna.id, audience_id=audiences.everyone(session), state="published", body=f"#t{number}x")
            session.add(post)
            session.flush()
            topics.keep(session, post)
    found, after = [], None
    while True:
        with site.db.read() as session:
            rows, after = topics.page(session, anna.id, after=after, most=3)
        found += [row.name for row in rows]
        if after is None:
            break
    assert found == [f"t{number}x" for number in range(7)]


def test_the_page_of_a_topic_and_its_button(site, rse_client, as_person, anna, ben):
    import re

    write(site, ben, "Vive le #sport")
    as_person(rse_client, anna)
    page = rse_client.get("/rse/feed/topics/sport", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Vive le" in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    topic = one(site, anna, "sport")
    follow = rse_client.post(f"/rse/feed/topics/{topic.id}/follow", data={"csrf_token": token, "follow": "1"})
    assert follow.status_code == 303
    assert one(site, anna, "sport").followed
    assert "Look after" not in page.text
    assert rse_client.get("/rse/feed/topics/rien").status_code == 404
    assert "sport" in rse_client.get("/rse/feed/topics/?followed=1").text
    assert rse_client.get("/rse/feed/topics/suggest?q=spo").get_json() == [{"key": "sport", "name": "sport", "space": ""}]
