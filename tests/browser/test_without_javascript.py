"""Reacting on a page of the intranet without JavaScript: fragments placed by the middleware, plain forms, redirects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

rse_host = pytest.importorskip("rse_host")
rse_likes = pytest.importorskip("rse_likes")

from rse_core.testing import as_person  # noqa: E402
from rse_core.testing.organisation import make_person, set_level  # noqa: E402
from rse_host.config import HostConfig  # noqa: E402
from rse_host.injector import Injector  # noqa: E402

PAGE = "<html lang=en><head><title>Une année</title></head><body><article><p>x</p></article></body></html>".encode("latin-1")


def intranet(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=ISO-8859-1"), ("ETag", '"1"')])
    return [PAGE]


@pytest.fixture
def rse_plugins() -> Sequence[object]:
    return [rse_likes.plugin, rse_host.plugin]


class Reader(Client):
    """A client that sends what :func:`as_person` gave it, as Flask's own does."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["environ_base"] = {**getattr(self, "environ_base", {}), **kwargs.get("environ_base", {})}
        return super().open(*args, **kwargs)


@pytest.fixture
def client(core: Any, rse_app: Any) -> Reader:
    set_level(core, "react")
    wrapped = Injector(HostConfig(slots=("reactions",), fragments=True), "/rse").wrap(intranet, rse_app=rse_app.wsgi_app)
    return Reader(DispatcherMiddleware(wrapped, {"/rse": rse_app.wsgi_app}))


def form_of(body: str) -> tuple[str, dict[str, str], list[str]]:
    form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', body, re.S)
    assert form is not None
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[2]))
    buttons = re.findall(r'<button([^>]*name="act"[^>]*)>', form[2])
    acts = [re.search(r'value="([^"]+)"', button) for button in buttons]
    return form[1], hidden, [act[1] for act in acts if act is not None]


def test_a_reaction_by_plain_form_comes_back_to_the_page(core: Any, client: Client) -> None:
    as_person(client, make_person(core, "anna", name="Anna Sérès"))
    first = client.get("/news/1?page_size=3")
    assert first.status_code == 200
    assert first.data.isascii() is False
    assert "etag" not in first.headers
    text = first.data.decode("latin-1")
    assert '<template shadowrootmode="open">' in text
    action, hidden, acts = form_of(text)
    assert hidden["csrf_token"]
    sent = client.post(action, data={**hidden, "act": acts[0]})
    assert sent.status_code == 303, sent.text
    assert sent.headers["Location"].startswith("/news/1")
    after = client.get(sent.headers["Location"]).data.decode("latin-1")
    assert 'aria-pressed="true"' in after
    assert "Une année" in after


def test_somebody_at_inform_gets_the_intranets_page_with_the_script_alone(core: Any, client: Client) -> None:
    set_level(core, "inform")
    as_person(client, make_person(core, "ines"))
    body = client.get("/news/1").data
    assert b"<rse-slot" not in body
    assert re.sub(rb"<script[^>]*></script>", b"", body) == PAGE
