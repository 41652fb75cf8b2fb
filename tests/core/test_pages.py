"""Pages of the intranet: one object however it is reached, and nobody moves another page's thread."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from rse_core.audit import Actor
from rse_core.content import ObjectRef
from rse_core.errors import Conflict, NotFound
from rse_core.models.content import Page
from rse_core.pages import PageClaim

ACTOR = Actor("cli:test")


@pytest.fixture
def core(rse_core):
    return rse_core(legacy_origins=["https://intranet.test"])


def say(core, *, person_id=None, create=True, **claim):
    with core.db.write() as session:
        return core.pages.identify(session, PageClaim(person_id=person_id, **claim), create=create)


def known(core, address):
    with core.db.read() as session:
        return core.pages.resolve_ref(session, address)


def test_a_page_that_nobody_touched_has_no_row_but_a_reference(core):
    page = known(core, "https://intranet.test/rh/conges/?utm_source=x")
    assert page.ref == ObjectRef("page", "/rh/conges")
    assert page.sections == ("/rh/conges",)
    assert not page.known


def test_permalink_id_and_tracking_parameters_are_one_page(core):
    first = say(core, address="/2026/teletravail/", native="wordpress:42", trusted=True)
    by_id = say(core, address="/?p=42", native="wordpress:42", create=False)
    by_campaign = say(core, address="/2026/teletravail?utm_campaign=n&fbclid=3", create=False)
    assert first.ref == by_id.ref == by_campaign.ref


def test_the_canonical_of_an_internal_host_counts_by_its_path_only(core):
    page = say(core, address="/spip.php?article3", canonical="http://spip-internal:8084/Les-conges", create=True)
    assert page.ref == ObjectRef("page", "/Les-conges")


def test_a_home_page_as_everybodys_canonical_does_not_fold_all_threads(core):
    one = say(core, address="/news/1", canonical="https://intranet.test/")
    two = say(core, address="/news/2", canonical="https://intranet.test/")
    assert one.ref != two.ref


def test_a_rename_told_by_the_server_keeps_the_thread(core):
    old = say(core, address="/news/1", native="generic:1", trusted=True)
    new = say(core, address="/actualites/1", native="generic:1", trusted=True)
    assert new.ref == old.ref
    assert new.address == "/actualites/1"
    assert known(core, "/actualites/1").ref == known(core, "/news/1").ref == old.ref
    assert known(core, "/news/1").sections == ("/actualites/1",)


def test_a_new_page_at_the_address_of_one_that_moved_does_not_take_its_thread(core):
    old = say(core, address="/a", native="wordpress:1", trusted=True)
    say(core, address="/b", native="wordpress:1", trusted=True)
    new = say(core, address="/a", native="wordpress:2", trusted=True)
    assert new.ref != old.ref
    assert say(core, address="/a", native="wordpress:2", trusted=True).ref == new.ref
    assert known(core, new.ref.id).ref == new.ref
    assert known(core, old.ref.id).ref == known(core, "/b").ref == old.ref


def test_remap_moves_the_thread_and_refuses_to_guess_a_merge(core):
    old, other = say(core, address="/a", trusted=True), say(core, address="/b", trusted=True)
    with core.db.write() as session:
        assert core.pages.remap(session, "/a", "/c", ACTOR).ref == old.ref
    assert known(core, "/c").ref == old.ref
    with core.db.write() as session, pytest.raises(Conflict, match="/b"):
        core.pages.remap(session, "/a", "/b", ACTOR)
    with core.db.write() as session, pytest.raises(NotFound, match="/nowhere"):
        core.pages.remap(session, "/nowhere", "/d", ACTOR)
    assert known(core, "/b").ref == other.ref


def test_one_persons_browser_cannot_take_another_page_over(core, make_person):
    liar, reader, other = make_person(), make_person(), make_person()
    victim = say(core, address="/news/1", person_id=reader.id, native="wordpress:1")
    # The liar says that news 2 is news 1, by native id and by canonical.
    say(core, address="/news/2", canonical="/news/1", person_id=liar.id, native="wordpress:2")
    honest = say(core, address="/news/2", person_id=other.id, native="wordpress:2")
    assert honest.ref == ObjectRef("page", "/news/2") != victim.ref
    assert known(core, "/news/2").ref == honest.ref


def test_a_name_that_two_browsers_agree_on_counts_for_everybody(core, make_person):
    one, two = make_person(), make_person()
    page = say(core, address="/2026/a", native="wordpress:7", person_id=one.id)
    assert say(core, address="/?p=7", native="wordpress:7", person_id=one.id).ref == page.ref
    assert known(core, "/?p=7").ref != page.ref
    assert say(core, address="/2026/a", native="wordpress:7", person_id=two.id).ref == page.ref
    assert say(core, address="/?p=7", native="wordpress:7", person_id=two.id).ref == page.ref
    assert known(core, "/?p=7").ref == page.ref


def test_a_title_is_learnt_once_and_changed_by_the_server_only(core, make_person):
    person = make_person()
    say(core, address="/a", title="  Les\n congés ", person_id=person.id)
    say(core, address="/a", title="Piraté", person_id=person.id)
    assert known(core, "/a").title == "Les congés"
    say(core, address="/a", title="Les congés 2027", trusted=True)
    with core.db.read() as session:
        assert session.scalar(select(Page.title)) == "Les congés 2027"


def test_a_section_from_a_browser_is_not_believed(core, make_person):
    say(core, address="/2026/a", section="/rh", person_id=make_person().id)
    assert known(core, "/2026/a").sections == ("/2026/a",)
    say(core, address="/2026/a", section="/rh", trusted=True)
    assert known(core, "/2026/a").sections == ("/2026/a", "/rh")


def test_pages_of_two_intranets_with_one_path_are_two_pages(rse_core):
    core = rse_core(legacy_origins=["https://intranet.test"], legacy_sites={"wiki": ["https://wiki.test"]})
    assert known(core, "https://intranet.test/Accueil").ref != known(core, "https://wiki.test/Accueil").ref


def test_foreign_addresses_create_nothing(core):
    for address in ("https://evil.test/x", "javascript:alert(1)", "//evil.test/x"):
        with pytest.raises(NotFound):
            say(core, address=address)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Page)) == 0


def test_a_locked_page_says_so_and_opens_again(core):
    ref = known(core, "/a").ref
    with core.db.write() as session:
        assert core.pages.lock(session, ref, True, ACTOR).locked
    assert known(core, "/a").locked
    with core.db.read() as session:
        assert core.pages.content_type().resolve(session, ["/a"])["/a"].state == "locked"
    with core.db.write() as session:
        core.pages.lock(session, ref, False, ACTOR)
    assert not known(core, "/a").locked
