"""Names of entries that mean the same are spelt the same; what they hold is not taken for a sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rse_ldap import dn


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=a,ou=B", "UID = A , OU=b"),
        ("cn=Dupont\\2c Jean,ou=x", "cn=dupont\\, jean,ou=x"),
        ("cn=a+sn=b,o=x", "sn=B + cn=A,o=x"),
        ("ou=\\C3\\89cole,o=x", "ou=École,o=x"),
        ("ou=a  b,o=x", "ou=a b,o=x"),
    ],
)
def test_spellings_of_one_name_are_one(one, other):
    assert dn.normal(one) == dn.normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [("cn=a\\,o=x,o=y", "cn=a,o=x,o=y"), ("uid=a,o=x", "uid=a,o=xx"), ("cn=a", "sn=a")]
)
def test_different_names_stay_different(one, other):
    assert dn.normal(one) != dn.normal(other)


def test_what_stands_below_a_base_is_told_from_what_only_ends_alike():
    base = dn.normal("ou=partners,dc=x")
    assert dn.within(dn.normal("uid=a,OU=Partners,dc=x"), base)
    assert dn.within(base, base)
    assert not dn.within(dn.normal("uid=a,ou=no partners,dc=x"), base)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8), min_size=1, max_size=4))
def test_the_parts_of_a_name_are_found_whatever_they_hold(values):
    written = ",".join("ou=" + "".join(f"\\{sign}" if sign in '\\,+;"<>=# ' else sign for sign in text) for text in values)
    name, depth = dn.normal(written), 0
    while name:
        name, depth = dn.above(name), depth + 1
    assert depth == len(values)
