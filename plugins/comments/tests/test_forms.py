"""Forms and pages without a script, what the script gets, and what hostile requests get."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select

from rse_comments import service
from rse_comments.models import Comment
from rse_core import moderation, roles
from rse_core.api import Actor, ObjectRef
from rse_core.extension import create_app
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import set_level

PAGE = ObjectRef("page", "/news/1")
THREAD = "/rse/comments/thread?ref=page:/news/1"


@pytest.fixture
def client(site, anna):
    app = create_app(site)
    app.testing = True
    return as_person(app.test_client(), anna)


def fields(html, action):
    """The hidden fields of the form with this action."""
    (form,) = re.findall(rf'<form[^>]*action="{re.escape(action)}"[^>]*>.*?</form>', html, re.DOTALL)[:1]
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    }


def get(client, url=THREAD):
    answer = client.get(url, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.text
    return answer.text


def send(client, action, sent=None, *, at=THREAD, **headers):
    data = {**fields(get(client, at), action), **(sent or {})}
    return client.post(action, data=data, headers={"Accept-Language": "en", **headers})


def rows(core):
    with core.db.read() as session:
        return [(row.body, row.state, row.parent_id) for row in session.scalars(select(Comment).order_by(Comment.id))]


def embedded(client, token, action, sent):
    headers = {"X-RSE-Embed": "1", "X-RSE-CSRF": token, "Accept-Language": "en"}
    return client.post(action, data=sent, headers=headers)


@pytest.fixture
def token(client):
    answer = client.get("/rse/embed/slots?address=/news/1&slots=comments", headers={"Accept-Language": "en"})
    return answer.headers["X-RSE-CSRF"]


def test_a_comment_is_written_and_one_is_back_at_it(site, client):
    answer = send(client, "/rse/comments/write", {"body": "Bonjour"})
    assert answer.status_code == 303
    assert re.search(r"/rse/comments/thread\?ref=page:/news/1#rse-comment-\d+$", answer.headers["Location"])
    assert rows(site) == [("Bonjour", "published", None)]
    html = get(client)
    assert "1 comment" in html
    assert "Your comment was saved." in html


def test_a_form_that_is_sent_twice_writes_once(site, client):
    data = {**fields(get(client), "/rse/comments/write"), "body": "Once"}
    for _ in range(2):
        assert client.post("/rse/comments/write", data=data).status_code == 303
    assert len(rows(site)) == 1


def test_answer_edit_and_delete_each_open_a_form_and_come_back_without_it(site, client):
    send(client, "/rse/comments/write", {"body": "Top"})
    (top,) = [int(n) for n in re.findall(r'id="rse-comment-(\d+)"', get(client))]
    answer = send(client, "/rse/comments/write", {"body": "Reply"}, at=f"{THREAD}&slot.comments.reply={top}")
    assert "slot.comments.reply" not in answer.headers["Location"]
    assert rows(site)[1] == ("Reply", "published", top)
    send(client, f"/rse/comments/{top}/edit", {"body": "Changed"}, at=f"{THREAD}&slot.comments.edit={top}")
    assert rows(site)[0][0] == "Changed"
    assert "Top" in get(client, f"/rse/comments/{top}/history")
    answer = send(client, f"/rse/comments/{top}/delete", at=f"{THREAD}&slot.comments.delete={top}")
    assert answer.status_code == 303
    assert rows(site)[0][1] == "deleted"
    assert "This comment was deleted." in get(client)


def test_what_was_typed_comes_back_with_the_reason(site, client):
    text = "too long " * 1000
    answer = send(client, "/rse/comments/write", {"body": text})
    assert answer.status_code == 422
    assert text.strip() in unescape(answer.text)
    assert "at most 4000 are possible" in answer.text
    assert 'role="alert"' in answer.text
    # The form can be sent again from there, and leads where it would have led before.
    again = {**fields(answer.text, "/rse/comments/write"), "body": "Short"}
    answer = client.post("/rse/comments/write", data=again)
    assert (answer.status_code, rows(site)) == (303, [("Short", "published", None)])
    assert "/rse/comments/thread" in answer.headers["Location"]


def test_a_level_that_was_lowered_meanwhile_refuses_but_gives_the_text_back(site, client):
    data = {**fields(get(client), "/rse/comments/write"), "body": "A long thought"}
    for level in ("react", "inform"):
        set_level(site, level)
        answer = client.post("/rse/comments/write", data=data)
        assert answer.status_code == 403
        assert "A long thought</textarea>" in answer.text
        assert 'action="/rse/comments/write"' not in answer.text
    assert rows(site) == []


def test_an_answer_to_what_is_gone_can_still_be_sent_as_a_comment(site, client, ben, write):
    top = write(site, ben, "Top")
    data = {**fields(get(client, f"{THREAD}&slot.comments.reply={top.id}"), "/rse/comments/write"), "body": "My answer"}
    with site.db.write() as session:
        service.delete(session, ben.id, top.id)
    answer = client.post("/rse/comments/write", data=data)
    assert answer.status_code == 409
    assert "My answer</textarea>" in answer.text
    again = {**fields(answer.text, "/rse/comments/write"), "body": "My answer"}
    assert "parent" not in again
    assert client.post("/rse/comments/write", data=again).status_code == 303


def test_a_stale_edit_shows_both_texts_and_can_then_be_saved(site, client, anna, write):
    comment = write(site, anna, "First")
    edit = f"/rse/comments/{comment.id}/edit"
    stale = {**fields(get(client, f"{THREAD}&slot.comments.edit={comment.id}"), edit), "body": "Mine"}
    with site.db.write() as session:
        service.edit(session, anna.id, comment.id, "Other tab", version=1)
    answer = client.post(edit, data=stale)
    assert answer.status_code == 409
    assert "Mine</textarea>" in answer.text
    assert "Other tab" in answer.text
    again = {**fields(answer.text, edit), "body": "Mine"}
    assert client.post(edit, data=again).status_code == 303
    assert rows(site)[0][0] == "Mine"


def test_deleting_twice_is_answered_alike(site, client, anna, write):
    comment = write(site, anna)
    delete = f"/rse/comments/{comment.id}/delete"
    data = fields(get(client, f"{THREAD}&slot.comments.delete={comment.id}"), delete)
    assert [client.post(delete, data=data).status_code for _ in range(2)] == [303, 303]


def test_the_order_is_chosen_by_a_form_and_remembered(site, client, anna, write):
    for body in ("one", "two"):
        write(site, anna, body)
    assert send(client, "/rse/comments/sort", {"sort": "oldest"}).status_code == 303
    html = get(client)
    assert html.index("<p>one</p>") < html.index("<p>two</p>")
    assert re.search(r'value="oldest"[^>]*aria-pressed="true"', html)


def test_a_moderator_closes_and_opens_and_nobody_else_has_the_form(site, client, anna, ben, write):
    write(site, anna, "Before")
    assert "/rse/comments/lock" not in get(client)
    csrf = fields(get(client), "/rse/comments/write")["csrf_token"]
    answer = client.post("/rse/comments/lock", data={"ref": str(PAGE), "locked": "1", "csrf_token": csrf})
    assert answer.status_code == 403
    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    assert send(client, "/rse/comments/lock", {"locked": "1"}).status_code == 303
    html = get(client)
    assert "Comments are closed here." in html
    assert "/rse/comments/write" not in html
    dates = {"locked": "0", "opens_at": "2030-01-01T08:00", "closes_at": "2030-02-01T08:00"}
    assert send(client, "/rse/comments/lock", dates).status_code == 303
    html = get(client)
    assert "Comments are not open yet." in html
    assert 'value="2030-01-01T08:00"' in html
    wrong = send(
        client, "/rse/comments/lock", {"locked": "0", "opens_at": "2030-02-01T08:00", "closes_at": "2030-01-01T08:00"}
    )
    assert wrong.status_code == 422
    assert "close before they open" in wrong.text
    assert send(client, "/rse/comments/lock", {"locked": "0", "opens_at": "soon"}).status_code == 422
    assert send(client, "/rse/comments/lock", {"locked": "0", "opens_at": "", "closes_at": ""}).status_code == 303
    assert "/rse/comments/write" in get(client)


def test_the_author_sees_that_a_comment_waits(site, client, ben):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    assert "read by a moderator before it appears" in get(client)
    send(client, "/rse/comments/write", {"body": "Patience"})
    html = get(client)
    assert "Your comment waits for a moderator." in html
    assert "Only you and the moderators see it." in html
    assert "Patience" not in get(as_person(client, ben))


def test_below_comment_there_is_no_dead_control(site, client, anna, write):
    write(site, anna, "Before")
    set_level(site, "react")
    html = get(client)
    assert "Before" in html
    for gone in ("/rse/comments/write", "slot.comments.reply", "slot.comments.edit="):
        assert gone not in html.replace("slot.comments.reply=&amp;", "").replace("slot.comments.edit=&amp;", ""), gone


def test_at_inform_the_page_has_no_slot_and_the_thread_no_address(site, client, anna, write):
    write(site, anna)
    set_level(site, "inform")
    body = client.get("/rse/embed/slots?address=/news/1&slots=comments,comment_count").get_json()
    assert {slot["html"] for slot in body["slots"].values()} == {""}
    assert client.get(THREAD).status_code == 404


def test_the_link_of_a_comment_leads_to_its_place(site, client, anna, write):
    comment = write(site, anna)
    answer = client.get(f"/rse/comments/{comment.id}")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/news/1#rse-comment-{comment.id}")


def test_what_others_wrote_is_neither_edited_nor_deleted(site, client, ben, write):
    comment = write(site, ben)
    csrf = fields(get(client), "/rse/comments/write")["csrf_token"]
    for act in ("edit", "delete"):
        data = {"csrf_token": csrf, "version": "1", "body": "mine now", "reason": "x"}
        answer = client.post(f"/rse/comments/{comment.id}/{act}", data=data)
        assert answer.status_code == 403
    assert client.get(f"/rse/comments/{comment.id}/history").status_code == 403
    assert rows(site) == [("Bonjour", "published", None)]


def test_without_the_token_or_a_person_nothing_is_written(site, client):
    data = {**fields(get(client), "/rse/comments/write"), "body": "x"}
    assert client.post("/rse/comments/write", data={**data, "csrf_token": "wrong"}).status_code == 403
    assert client.post("/rse/comments/write", data=data, headers={"Origin": "https://evil.test"}).status_code == 403
    as_person(client, None)
    assert client.post("/rse/comments/write", data=data).status_code in (401, 403)
    assert rows(site) == []


@pytest.mark.parametrize("sent", [
    {"ref": "nonsense"}, {"ref": "page:https://evil.test/"}, {"ref": "x" * 5000}, {"parent": "-1"}, {"parent": "9" * 30},
    {"idempotency_key": "k" * 500}, {"ref": "page:\x00"},
])  # fmt: skip
def test_fields_that_make_no_sense_are_refused_without_an_error_of_ours(site, client, sent):
    answer = send(client, "/rse/comments/write", {"body": "x", **sent})
    assert 400 <= answer.status_code < 500
    assert rows(site) == []


def test_a_huge_body_is_refused(site, client):
    answer = send(client, "/rse/comments/write", {"body": "x" * (site.settings.max_body + 1)})
    assert answer.status_code == 413
    assert rows(site) == []


def test_the_script_gets_the_thread_anew_and_problems_by_field(site, client, token):
    answer = embedded(client, token, "/rse/comments/write", {"ref": str(PAGE), "body": "By script", "address": "/news/1"})
    body = answer.get_json()
    assert "By script" in body["slots"]["comments"]["html"]
    assert body["announce"] == "Your comment was saved."
    answer = embedded(client, token, "/rse/comments/write", {"ref": str(PAGE), "body": " "})
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == {"body": "Write something first."}


def test_the_slot_says_how_many_came_since(site, client, ben, write):
    first = write(site, ben, "1")
    write(site, ben, "2")
    url = f"/rse/embed/slots?address=/news/1&slots=comments&slot.comments.since={first.id}"
    slot = client.get(url, headers={"Accept-Language": "en"}).get_json()["slots"]["comments"]
    assert slot["stale_label"] == "1 new comment"
    assert client.get(url.replace(f"={first.id}", "=")).get_json()["slots"]["comments"]["stale_label"] == ""


def test_all_of_a_long_thread_is_reached_by_its_links(site, client, ben, write, monkeypatch):
    monkeypatch.setattr(service, "PER_MINUTE", 1000)
    for number in range(45):
        write(site, ben, f"n° {number}", ref=ObjectRef("page", "/" + "a-long-address/" * 12))
    url, seen = "/rse/comments/thread?ref=page:/" + "a-long-address/" * 12, []
    while url:
        html = get(client, url)
        seen += [int(n) for n in re.findall(r'<article[^>]* id="rse-comment-(\d+)"', html)]
        more = re.search(r'data-rse-more><a[^>]* href="([^"]+)"', html)
        url = unescape(more[1]) if more else ""
    assert len(seen) == len(set(seen)) == 45


def test_a_slot_with_two_hundred_comments_costs_the_queries_of_twenty(site, client, ben, write, monkeypatch):
    monkeypatch.setattr(service, "PER_MINUTE", 1000)
    costs = []
    for path, number in (("/news/20", 20), ("/news/200", 200)):
        for index in range(number):
            write(site, ben, f"n° {index}", ref=ObjectRef("page", path))
        url = f"/rse/embed/slots?address={path}&slots=comments,comment_count"
        client.get(url)
        with count_queries(site) as counter:
            client.get(url)
        costs.append(len(counter))
    assert costs[0] == costs[1] <= 30, costs


def test_the_count_is_of_what_is_published_and_absent_at_zero(site, client, anna, write):
    url = "/rse/embed/slots?address=/news/1&slots=comment_count"
    assert client.get(url).get_json()["slots"]["comment_count"]["html"] == ""
    write(site, anna)
    html = client.get(url, headers={"Accept-Language": "en"}).get_json()["slots"]["comment_count"]["html"]
    assert "1 comment" in html
