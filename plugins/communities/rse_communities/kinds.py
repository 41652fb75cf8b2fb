"""The kinds of space, and what each begins with: who may do what, how one gets in, who sees it, what members are told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rse_core.api import BadInput, Text, translator

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of space. ``rules`` maps a capability to who may use it; those of plugins that are not there are left out.

    :param notify: what members are told of by default; "" leaves it to the site.
    """

    key: str
    label: Text
    help: Text
    visibility: str
    join_policy: str
    rules: Mapping[str, str] = field(default_factory=dict)
    notify: str = ""


_EVERYBODY = {
    "feed.post": "members",
    "comments.write": "members",
    "likes.react": "members",
    "communities.invite": "managers",
}

KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "community", lazy("Professional community"),
            lazy("People of one profession or interest, from the whole organisation, who help one another."),
            "listed", "free", {**_EVERYBODY, "communities.invite": "members"},
        ),
        Kind(
            "team", lazy("Team space"), lazy("The people of one service, for their daily work."),
            "listed", "request", _EVERYBODY, "all",
        ),
        Kind(
            "project", lazy("Project"), lazy("People of several services, for as long as a project lasts."),
            "listed", "request", _EVERYBODY, "all",
        ),
        Kind(
            "information", lazy("Information"), lazy("News on one subject: a few publish, all may read and react."),
            "public", "free", {"feed.post": "managers", "comments.write": "all", "likes.react": "all"},
        ),
    )
}  # fmt: skip

JOIN_POLICIES = {
    "none": lazy("By invitation only"),
    "request": lazy("On request"),
    "free": lazy("Open to all who see it"),
}
VISIBILITIES = {
    "public": lazy("Public: the whole staff sees what is in it"),
    "listed": lazy("Listed: the whole staff sees its name, its members see what is in it"),
    "secret": lazy("Secret: its members alone know of it"),
}
ROLES = {
    "owner": lazy("owner"),
    "admin": lazy("administration"),
    "moderator": lazy("animation"),
    "writer": lazy("writer"),
    "member": lazy("member"),
    "external": lazy("guest"),
}
WHO = {
    "nobody": lazy("nobody"),
    "managers": lazy("those who run it"),
    "members": lazy("members"),
    "all": lazy("all who see it"),
}
NOTIFY = {
    "": lazy("As the site says"),
    "all": lazy("Every post"),
    "mentions": lazy("What names me"),
    "none": lazy("Nothing"),
}


def kind_of(key: str) -> Kind:
    """:raises BadInput: for an unknown kind."""
    if key not in KINDS:
        raise BadInput(
            _("There is no kind of space “%(key)s”.", key=key[:40]), fields={"kind": _("Choose one of the list.")}
        )
    return KINDS[key]


def choice(field_name: str, value: str, choices: Mapping[str, Text]) -> str:
    """:raises BadInput: names the field."""
    if value not in choices:
        message = _("“%(value)s” cannot be chosen here.", value=value[:40])
        raise BadInput(message, fields={field_name: _("Choose one of the list.")})
    return value
