"""What a person does at the portal, and what the site is told about it."""

from __future__ import annotations

from typing import Any


def sign_in_at_the_portal(tab: Any, user: str = "hdupont") -> None:
    """Fill in the portal's form; the password is the name."""
    tab.locator("input[name=user]").fill(user)
    tab.locator("input[name=password]").fill(user)
    tab.locator("input[name=password]").press("Enter")


def header_table(portal: Any) -> dict[str, Any]:
    """The table ``[sso.header]`` of a site that the portal stands before."""
    return {
        "secrets": [portal.secret], "peers": ["127.0.0.1"], "name": "X-RSE-Name", "attributes": {"entity": "X-RSE-Entity"},
    }  # fmt: skip
