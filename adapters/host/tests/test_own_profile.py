from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from rse_host.middleware import HostMiddleware, script_tag
from rse_host.profiles import PROFILES, Anchor, Profile

OWN = Profile("generic", (Anchor('article[class="text"]', "append"),), only="body.article")
ARTICLE = b"<html><head></head><body class=article><article class=text>A</article></body></html>"
LIST = b"<html><head></head><body><article class=text>A</article></body></html>"


def test_the_tag_tells_the_script_of_a_profile_of_ones_own() -> None:
    written = dict(re.findall(r'(data-[a-z]+)="([^"]*)"', script_tag(profile=OWN)))
    assert json.loads(html.unescape(written["data-anchors"])) == [['article[class="text"]', "append"]]
    assert written["data-only"] == "body.article"
    assert "data-profile" not in written


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_built_in_profile_is_told_by_its_name_alone(name: str) -> None:
    assert script_tag(profile=PROFILES[name]) == script_tag(profile=name)
    assert "data-anchors" not in script_tag(profile=name)


@pytest.mark.parametrize(("page", "slots"), [(ARTICLE, 2), (LIST, 0)])
def test_fragments_stand_where_the_own_profile_says_and_nowhere_else(page: bytes, slots: int) -> None:
    def intranet(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page]

    wrapped = HostMiddleware(
        intranet, profile=OWN, source=lambda environ, facts: {"reactions": "<p>r</p>", "comments": "<p>c</p>"}
    )
    answer = Client(wrapped, Response).get("/")
    assert answer.text.count("<rse-slot ") == slots
    assert answer.text.count("/rse/embed.js") == 1
