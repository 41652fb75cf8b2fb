"""Whether a page's Content-Security-Policy lets RSE in: its script, its requests, its style sheets."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from .headers import Headers
from .i18n import _
from .scanner import Unfinished, attributes, tokens

Add = Callable[[str, str, str, str], None]
_DELIVERED = ("content-security-policy",)


def policies(headers: Headers, body: bytes) -> list[dict[str, list[str]]]:
    """Return the policies in force, of headers and of ``meta`` elements, as directive → sources."""
    texts = [value for name, value in headers if name.lower() in _DELIVERED]
    try:
        for token in tokens(body):
            if token.kind == "start" and token.name == b"meta":
                named = attributes(body, token)
                if named.get(b"http-equiv", b"").lower() == b"content-security-policy":
                    texts.append(named.get(b"content", b"").decode("latin-1"))
            elif token.kind == "start" and token.name == b"body":
                break
    except Unfinished:
        pass
    found = []
    for text in ",".join(texts).split(","):
        directives: dict[str, list[str]] = {}
        for part in text.split(";"):
            words = part.split()
            if words:
                directives.setdefault(words[0].lower(), words[1:])
        if directives:
            found.append(directives)
    return found


def sources(policy: dict[str, list[str]], *names: str) -> list[str] | None:
    """Return the sources of the first directive present, ``default-src`` at last; None when nothing is said."""
    for name in (*names, "default-src"):
        if name in policy:
            return policy[name]
    return None


def allows(found: list[str] | None, origin: str, *, nonce: str = "", script: bool = False) -> bool:
    """Whether a list of sources lets in something of this origin."""
    if found is None:
        return True
    lowered = [source.lower() for source in found]
    if nonce and f"'nonce-{nonce}'" in found:
        return True
    if script and "'strict-dynamic'" in lowered:
        return False
    parts = urlsplit(origin)
    host = re.escape(parts.hostname or "")
    for source in lowered:
        if source in ("*", "'self'", f"{parts.scheme}:") or source.rstrip("/") == origin.lower():
            return True
        if re.fullmatch(rf"(?:{parts.scheme}://)?{host}(?::(?:\*|{parts.port or ''}))?/?", source):
            return True
        if source.startswith("*.") and (parts.hostname or "").endswith(source[1:]):
            return True
    return False


def check_policy(headers: Headers, body: bytes, tag: dict[bytes, bytes], origin: str, add: Add) -> None:
    """Report what a policy, or a ``base`` element, keeps from working."""
    nonce = tag.get(b"nonce", b"").decode("latin-1")
    for policy in policies(headers, body):
        if not allows(sources(policy, "script-src-elem", "script-src"), origin, nonce=nonce, script=True):
            add(
                "problem", "csp_script", _("The page's Content-Security-Policy keeps the script out."),
                _("Add 'self' to its script-src; where nonces are used, give the tag the page's nonce "
                  "(the WSGI middleware does)."),
            )  # fmt: skip
        if not allows(sources(policy, "connect-src"), origin):
            add(
                "problem", "csp_connect", _("The page's Content-Security-Policy forbids the script's requests."),
                _("Add 'self' to its connect-src."),
            )  # fmt: skip
        if not allows(sources(policy, "style-src-elem", "style-src"), origin):
            add(
                "problem", "csp_style", _("The page's Content-Security-Policy keeps the style sheets out."),
                _("Add 'self' to its style-src."),
            )  # fmt: skip
        named = policy.get("trusted-types")
        if "require-trusted-types-for" in policy and named is not None and "rse" not in named and "*" not in named:
            add(
                "problem", "csp_trusted_types", _("The page's Content-Security-Policy names its Trusted Types policies."),
                _("Add rse to its trusted-types."),
            )  # fmt: skip
        if "sandbox" in policy and not {"allow-scripts", "allow-same-origin"} <= set(policy["sandbox"]):
            add(
                "problem", "csp_sandbox", _("The page is sandboxed: no script of this origin runs in it."),
                _("Add allow-scripts and allow-same-origin to its sandbox, or leave this page out."),
            )  # fmt: skip
    try:
        for token in tokens(body):
            if token.kind == "start" and token.name == b"base":
                href = attributes(body, token).get(b"href", b"").decode("latin-1")
                if href and urlsplit(urljoin(origin, href))[:2] != urlsplit(origin)[:2]:
                    add(
                        "problem", "base",
                        _("The page's base element points to %(href)s, and the tag's address with it.", href=href[:120]),
                        _("Write the tag with its whole address into the template: rse host snippet."),
                    )  # fmt: skip
                break
            if token.kind == "start" and token.name == b"body":
                break
    except Unfinished:
        pass
