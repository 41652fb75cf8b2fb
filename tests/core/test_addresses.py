"""One page, one key, whatever way it was reached."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rse_core.addresses import AddressBook
from rse_core.errors import NotFound

BOOK = AddressBook(
    ["https://www.intranet.test", "http://front:8080"],
    {"wiki": ["https://wiki.intranet.test"]},
    ["p", "id_article", "title"],
)


@pytest.mark.parametrize(
    ("reached", "key"),
    [
        ("/news/12", "/news/12"),
        ("/news/12/", "/news/12"),
        ("//news//12", "https"),
        ("https://www.intranet.test/news/12", "/news/12"),
        ("HTTPS://WWW.intranet.test:443/news/12?utm_source=mail&utm_medium=x#comments", "/news/12"),
        ("http://front:8080/news/./12", "/news/12"),
        ("/news/x/../12?fbclid=1", "/news/12"),
        ("/?p=42", "/?p=42"),
        ("/?utm_source=a&p=42", "/?p=42"),
        ("/?p=", "/"),
        ("/spip.php?article12", "/spip.php?article12"),
        ("/spip.php?article12&var_mode=calcul", "/spip.php?article12"),
        ("/spip.php?id_article=12&lang=fr", "/spip.php?id_article=12"),
        ("/w/index.php?title=Accueil&action=view", "/w/index.php?title=Accueil"),
        ("/actualités/été", "/actualit%C3%A9s/%C3%A9t%C3%A9"),
        ("/actualit%c3%a9s/%C3%A9t%c3%a9", "/actualit%C3%A9s/%C3%A9t%C3%A9"),
        ("/vieux/%E9t%E9", "/vieux/%E9t%E9"),
        ("/x;jsessionid=0A1B/y", "/x/y"),
        ("wiki:/Accueil", "wiki:/Accueil"),
        ("https://wiki.intranet.test/Accueil?x=1", "wiki:/Accueil"),
        ("/../../etc/passwd", "/etc/passwd"),
    ],
)
def test_ways_to_reach_a_page_give_one_key(reached: str, key: str) -> None:
    if key == "https":  # two slashes begin a host
        with pytest.raises(NotFound):
            BOOK.parse(reached)
        return
    assert BOOK.parse(reached).key == key


@pytest.mark.parametrize(
    "text",
    ["", "news", "javascript:alert(1)", "https://evil.test/news/12", "//evil.test/x", "http://[::1/x",
     "https://www.intranet.test.evil.test/", "https://www.intranet.test:8443/", "ftp://www.intranet.test/", "/a\x00b",
     "/a\nb", "/" + "x" * 600, "unknown:/x"],
)  # fmt: skip
def test_what_is_not_an_address_of_the_intranet_is_refused(text: str) -> None:
    with pytest.raises(NotFound):
        BOOK.parse(text)


def test_userinfo_does_not_smuggle_another_host() -> None:
    with pytest.raises(NotFound):
        BOOK.parse("https://www.intranet.test@evil.test/")


@given(st.text(alphabet=string.printable + "éœ€%?&=#;:/", max_size=60))
def test_a_key_is_its_own_key(tail: str) -> None:
    try:
        first = BOOK.parse("/" + tail)
    except NotFound:
        return
    assert BOOK.parse(first.key) == first


@given(st.text(max_size=80))
def test_any_text_is_taken_or_refused_but_never_breaks(text: str) -> None:
    try:
        BOOK.parse(text)
    except NotFound:
        pass
