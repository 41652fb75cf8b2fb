"""Markup that is kept for many readers: once for each language and place, never under the eyes of who writes templates."""

from __future__ import annotations

import pytest

from rse_core.i18n import use_locale
from rse_core.webapi import FIELDS, KeptMarkup, hidden_fields


@pytest.fixture
def made():
    return []


def maker(made, text="<b>1</b>"):
    def make():
        made.append(text)
        return text

    return make


def test_it_is_made_once_for_each_key_language_and_mount_point(rse_app, made):
    kept = KeptMarkup()
    for base in ("/rse", "/rse", "/elsewhere"):
        with rse_app.test_request_context("/", environ_overrides={"SCRIPT_NAME": base}):
            for locale in ("fr", "en", "fr"):
                with use_locale(locale):
                    assert kept(("a", 1), maker(made)) == "<b>1</b>"
    assert len(made) == 4
    with rse_app.test_request_context("/"), use_locale("fr"):
        kept(("a", 2), maker(made))
    assert len(made) == 5


def test_it_holds_so_many_and_no_more(rse_app, made):
    kept = KeptMarkup(most=3)
    with rse_app.test_request_context("/"):
        for number in range(4):
            kept((number,), maker(made))
        kept((3,), maker(made))
        assert len(made) == 4
        kept((0,), maker(made))
    assert len(made) == 5


def test_who_writes_a_template_sees_it_change(rse_app, made):
    kept = KeptMarkup()
    rse_app.debug = True
    try:
        with rse_app.test_request_context("/"):
            kept(("a",), maker(made))
            kept(("a",), maker(made))
    finally:
        rse_app.debug = False
    assert len(made) == 2


def test_the_fields_of_a_form_are_the_same_in_all_forms_of_a_page_but_for_the_key_of_a_sending(rse_app):
    with rse_app.test_request_context("/rse/feed/?tab=mine"):
        first, again, once, other = hidden_fields(), hidden_fields(), hidden_fields(once=True), hidden_fields(once=True)
    assert first == again
    assert 'name="return_to" value="/rse/feed/?tab=mine"' in first
    assert first.count("<input") == 2
    assert once.startswith(first)
    assert once != other, "each form that may be sent twice has a key of its own"
    assert FIELDS not in first
