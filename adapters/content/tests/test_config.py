"""The section ``[content]``: every mistake is one sentence that names the source, the key and the remedy."""

from __future__ import annotations

import pytest

from rse_content.config import SECRET, read_section
from rse_content.plugin import Content
from rse_core.api import ConfigError
from rse_core.testing import kit_settings

GOOD = {"name": "news", "kind": "rss", "url": "https://intranet.example/feed"}


def read(*sources, **settings):
    return read_section(kit_settings(sections={"content": {"sources": list(sources)}}, **settings))


def test_a_source_needs_three_keys_and_shows_nothing_to_anybody_until_an_audience_is_named():
    (source,) = read(GOOD)
    assert (source.name, source.kind, source.audience, source.every) == ("news", "rss", None, 300)
    # By the intranet's own origins it may call itself anywhere.
    assert source.origins == ("https://intranet.example",)
    assert read() == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"urll": "x"}, ["news", "urll", "url"]),
        ({"kind": "rsss"}, ["news", "kind", "rss"]),
        ({"kind": "drupal"}, ["kind", "wordpress"]),
        ({"kind": 3}, ["kind"]),
        ({"types": ["posts"]}, ["types"]),
        ({"kind": "wordpress", "namespaces": [0]}, ["namespaces"]),
        ({"kind": "mediawiki", "namespaces": ["main"]}, ["namespaces"]),
        ({"url": "/feed"}, ["url", "https://"]),
        ({"url": "ftp://intranet.example/feed"}, ["url"]),
        ({"url": "https://anne:secret@intranet.example/feed"}, ["url", "secret_headers"]),
        ({"name": "Les Actus"}, ["name"]),
        ({"audience": "all"}, ["audience", "everyone"]),
        ({"every": 5}, ["every"]),
        ({"section": "news"}, ["section"]),
        ({"verify": "/nowhere/ca.pem"}, ["verify"]),
        ({"origins": ["intranet"]}, ["origin"]),
        ({"site": "wiki"}, ["site", "wiki"]),
        ({"secret_headers": {"Authorization": "Bearer s3cret"}}, ["secret_headers", "Authorization"]),
    ],
)
def test_a_mistake_names_the_source_the_key_and_the_remedy(change, says):
    with pytest.raises(ConfigError) as caught:
        read({**GOOD, **change})
    for word in says:
        assert word in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "anne:secret" not in str(caught.value)


def test_two_sources_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="news"):
        read(GOOD, {**GOOD, "url": "https://intranet.example/other"})


def test_what_decides_how_pages_are_taken_in_changes_the_fingerprint_and_the_rest_does_not():
    (plain,) = read(GOOD)
    (shown,) = read({**GOOD, "audience": "everyone"})
    (slow,) = read({**GOOD, "every": 3600, "timeout": 3, "headers": {"X-Team": "a"}})
    assert plain.fingerprint == slow.fingerprint != shown.fingerprint


def test_the_sources_reach_the_core_under_the_adapters_name(rse_core):
    content = Content()
    sources = [{**GOOD, "label": "Actualités"}, {**GOOD, "name": "wiki", "kind": "mediawiki", "first_days": 7}]
    core = rse_core([content], sections={"content": {"sources": sources}})
    found = core.plugins.legacy_sources()
    assert sorted(found) == ["content.news", "content.wiki"]
    assert str(found["content.news"].label) == "Actualités"
    assert found["content.wiki"].first_days == 7


def test_a_mistake_leaves_the_adapter_out_and_the_rest_running(rse_core, rse_database):
    url = rse_database.migrated([Content()])
    core = rse_core([Content()], database_url=url, strict=False, sections={"content": {"sources": [{"kind": "rss"}]}})
    state = core.plugins.states["content"]
    assert state.status == "quarantined"
    assert "name" in str(state.reason)


def test_a_secret_in_the_file_and_unchecked_certificates_are_reported(rse_core):
    from rse_core.health import examine

    def health(**change):
        core = rse_core([Content()], sections={"content": {"sources": [{**GOOD, **change}]}})
        return next(line.result for line in examine(core) if line.name == "content.configuration")

    assert health().ok
    assert "Authorization" in health(headers={"Authorization": "Basic x"}).detail
    assert "news" in health(verify=False).detail
    assert SECRET.search("X-API-Key")
