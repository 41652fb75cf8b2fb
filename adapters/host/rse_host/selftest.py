"""``rse host selftest URL``: what is wrong with a real page of the intranet, and what to do about it."""

from __future__ import annotations

import dataclasses
import http.client
import json
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urljoin, urlsplit

from . import headers as h
from .facts import read_facts
from .i18n import _
from .policy_check import check_policy
from .probe import Answer, Probe
from .profiles import PageFacts, Profile
from .scanner import Unfinished, attributes, tokens

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    :param severity: ``problem`` (slots will not work or are not safe), ``warning`` or ``note``.
    :param code: stable, for programs.
    """

    severity: str
    code: str
    message: str
    remedy: str


@dataclass
class Report:
    """What was looked at and what was found."""

    url: str
    findings: list[Finding] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Nothing stands in the way."""
        return all(finding.severity != "problem" for finding in self.findings)

    def add(self, severity: str, code: str, message: str, remedy: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(severity, code, message, remedy))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "url": self.url,
            "fine": self.fine,
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
            "passed": self.passed,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        for finding in self.findings:
            yield f"{finding.severity}: {finding.message}"
            yield f"    {finding.remedy}"
        problems = sum(finding.severity == "problem" for finding in self.findings)
        yield _("%(url)s: problems: %(problems)s; checks passed: %(passed)s.", url=self.url, problems=str(problems),
                passed=str(len(self.passed)))  # fmt: skip


def run(
    url: str, *, prefix: str, headers: tuple[str, ...] = (), profile: Profile, timeout: float = 10.0, spoof: str = "admin"
) -> Report:
    """Look at one page as a browser would, and at RSE behind the same origin.

    :param headers: ``Name: value`` sent with every request, a session cookie for example.
    :param spoof: the name an attacker would write into the identity header.
    :raises BadInput: for an address that cannot be asked at all.
    """
    probe = Probe(url, headers=headers, timeout=timeout)
    report = Report(url)
    try:
        page = _open(probe, report)
        if page is not None:
            facts = _look_at_page(page, report, prefix=prefix, profile=profile, origin=probe.origin)
            _ask_in_other_ways(probe, page, report, prefix=prefix)
            _look_at_rse(probe, report, prefix=prefix, facts=facts, spoof=spoof)
    except (OSError, http.client.HTTPException) as error:
        report.add(
            "problem", "unreachable",
            _("%(url)s does not answer: %(error)s.", url=probe.url, error=str(error) or repr(error)),
            _("Check the address, and that the web server runs."),
        )  # fmt: skip
    return report


def _open(probe: Probe, report: Report) -> Answer | None:
    for _step in range(MAX_REDIRECTS):
        answer = probe.get(probe.target, {"Accept": "text/html", "Accept-Encoding": "identity"})
        if answer.status not in (301, 302, 303, 307, 308):
            break
        there = urljoin(probe.url, answer.first("location") or "")
        if urlsplit(there)[:2] != urlsplit(probe.url)[:2]:
            report.add(
                "problem", "redirect_away", _("The page leads away, to %(there)s.", there=there),
                _("If that is the sign-in, give a session: --header 'Cookie: name=value'."),
            )  # fmt: skip
            return None
        probe.move(there)
        report.url = there
    if answer.status != 200:
        report.add(
            "problem", "status", _("The page answers %(status)s.", status=str(answer.status)),
            _("Give the address of a page that people can read; "
              "with --header 'Cookie: name=value' if it needs a session."),
        )  # fmt: skip
        return None
    kind = (answer.first("content-type") or "").split(";")[0].strip().lower()
    if kind != "text/html":
        report.add(
            "problem", "no_html", _("The page is %(kind)s; only text/html is changed.", kind=kind or "?"),
            _("Choose another page, or have the intranet send Content-Type: text/html."),
        )  # fmt: skip
        return None
    report.passed.append("page")
    return answer


def script_addresses(body: bytes, prefix: str) -> list[dict[bytes, bytes]]:
    """Return the attributes of every real script tag of ours in a page."""
    found: list[dict[bytes, bytes]] = []
    address = f"{prefix}/embed.js".encode()
    try:
        for token in tokens(body):
            if token.kind == "start" and token.name == b"script":
                named = attributes(body, token)
                if named.get(b"src", b"").split(b"?")[0].endswith(address):
                    found.append(named)
    except Unfinished:
        pass
    return found


def _look_at_page(page: Answer, report: Report, *, prefix: str, profile: Profile, origin: str) -> PageFacts | None:
    plain = page.body
    if page.first("content-encoding"):
        report.add(
            "warning", "gzip_forced",
            _("The page comes as %(coding)s though nobody asked.", coding=page.first("content-encoding") or ""),
            _("The tag is put in only where it is unpacked: "
              "gunzip on (nginx) or INFLATE (Apache); rse host nginx does it."),
        )  # fmt: skip
        try:
            plain = h.decode(page.body, page.first("content-encoding"), 1 << 26) or page.body
        except (zlib.error, h.TooLarge):
            plain = page.body
    tags = script_addresses(plain, prefix)
    if not tags:
        mentioned = f"{prefix}/embed.js".encode() in plain
        report.add(
            "problem", "no_script",
            _("The tag stands where a browser does not read it (in a comment, a script or a title).") if mentioned
            else _("The page has no script tag of RSE."),
            _("Put the configuration of rse host nginx in place and reload the server, or the lines of rse host snippet "
              "into the template."),
        )  # fmt: skip
    elif len(tags) > 1:
        report.add(
            "problem", "script_twice", _("The page has the tag %(count)s times.", count=str(len(tags))),
            _("Take it out of the template, or out of the server's configuration."),
        )  # fmt: skip
    else:
        report.passed.append("script")
    check_policy(page.headers, plain, tags[0] if tags else {}, origin, report.add)
    _look_at_encoding(page, plain, report)
    return _look_at_facts(page, plain, report, profile)


def _look_at_encoding(page: Answer, plain: bytes, report: Report) -> None:
    from .profiles import META_CHARSET
    from .rewriter import can_carry_ascii

    named = h.charset(page.headers)
    declared = META_CHARSET.search(plain, 0, 4096)
    meta = declared.group(1).decode("ascii") if declared else None
    if not can_carry_ascii(plain, named):
        report.add(
            "problem", "charset", _("In %(charset)s no ASCII tag can be put.", charset=named or "UTF-16"),
            _("Have the intranet send UTF-8, or put the snippet into the template."),
        )  # fmt: skip
    elif named and meta and named.lower().replace("_", "-") != meta.lower().replace("_", "-"):
        report.add(
            "warning", "charset_differs",
            _("The header says %(named)s, the page says %(meta)s.", named=named, meta=meta),
            _("Browsers believe the header. The title that RSE learns may have odd letters until both agree."),
        )  # fmt: skip
    else:
        report.passed.append("charset")


def _look_at_facts(page: Answer, plain: bytes, report: Report, profile: Profile) -> PageFacts | None:
    try:
        facts = read_facts(plain, profile, address=page.target, charset=h.charset(page.headers))
    except RuntimeError as error:
        report.add(
            "warning", "markup", _("The page's markup is ambiguous: %(error)s", error=str(error).split("\n")[0][:200]),
            _("The script works all the same; fragments without JavaScript do not come to this page."),
        )  # fmt: skip
        return None
    if not facts.own_slots and not facts.shows_one_object:
        report.add(
            "note", "no_single_object", _("For the profile %(profile)s this is a list or a form: it gets no slots.",
              profile=profile.name),
            _("Try the address of one article; if this is one, choose another --profile."),
        )  # fmt: skip
    elif not facts.own_slots and facts.anchor is None:
        report.add(
            "problem", "no_anchor", _("The profile %(profile)s finds no place for slots here.", profile=profile.name),
            _("Put <rse-slot name=\"comments\"></rse-slot> into the template, or choose another --profile."),
        )  # fmt: skip
    else:
        report.passed.append("anchor")
    if facts.canonical and (host := urlsplit(facts.canonical).netloc) and host != page.host:
        report.add(
            "note", "canonical_host",
            _("The page says that its address is on %(host)s.", host=host),
            _("RSE knows pages by their path, so threads stay together; search engines and feeds may not."),
        )  # fmt: skip
    return facts


def _ask_in_other_ways(probe: Probe, page: Answer, report: Report, *, prefix: str) -> None:
    ways = {
        "gzip": ({"Accept-Encoding": "gzip, deflate"}, _("A browser that asks for gzip gets the page without its tag."),
                 _("Ask the intranet for plain pages: proxy_set_header Accept-Encoding \"\"; see rse host nginx.")),
        "stale_304": ({"If-Modified-Since": formatdate(usegmt=True)},
                      _("A page that a browser cached before RSE came is answered 304, and stays without its tag."),
                      _("Take If-None-Match and If-Modified-Since off requests for pages; see rse host nginx.")),
        "partial": ({"Range": "bytes=0-99"}, _("A part of the page is sent when a part is asked for."),
                    _("Take Range off requests for pages; see rse host nginx.")),
    }  # fmt: skip
    had_tag = bool(script_addresses(page.body, prefix)) or bool(page.first("content-encoding"))
    for code, (sent, message, remedy) in ways.items():
        answer = probe.get(page.target, {"Accept": "text/html", "Accept-Encoding": "identity", **sent})
        if code == "gzip":
            try:
                plain = h.decode(answer.body, answer.first("content-encoding"), 1 << 26)
            except (zlib.error, h.TooLarge):
                plain = None
            bad = had_tag and (plain is None or not script_addresses(plain, prefix))
        elif code == "stale_304":
            bad = answer.status == 304
        else:
            bad = answer.status == 206
        if bad:
            report.add("problem", code, message, remedy)
        else:
            report.passed.append(code)


def _look_at_rse(probe: Probe, report: Report, *, prefix: str, facts: PageFacts | None, spoof: str) -> None:
    script = probe.get(f"{prefix}/embed.js", {})
    if script.status != 200 or "javascript" not in (script.first("content-type") or ""):
        report.add(
            "problem", "rse_unreachable",
            _("%(path)s answers %(status)s: RSE is not reached on this origin.",
              path=f"{prefix}/embed.js", status=str(script.status)),
            _("Start RSE, and have the web server pass %(prefix)s/ to it; see rse host nginx.", prefix=prefix),
        )  # fmt: skip
        return
    report.passed.append("rse")
    address = facts.address if facts is not None else probe.target
    asked = probe.slots(prefix, address, {})
    if asked.status != 200:
        detail = ""
        try:
            detail = str(json.loads(asked.body).get("detail", ""))
        except (ValueError, AttributeError):
            pass
        report.add(
            "problem", "slots", _("RSE refuses this page: %(status)s %(detail)s",
              status=str(asked.status), detail=detail),
            _("See the log of RSE; legacy_origins in rse.toml must name the intranet."),
        )  # fmt: skip
        return
    report.passed.append("slots")
    before = _person(asked)
    for name in ("X-RSE-User", "X_RSE_User", "Remote-User", "X-Remote-User", "Auth-User"):
        forged = probe.slots(prefix, address, {name: spoof, "X-RSE-Proxy-Secret": secrets.token_urlsafe(32)})
        if forged.status != asked.status or _person(forged) != before:
            report.add(
                "problem", "spoof",
                _("A client that sends %(name)s: %(spoof)s is taken for somebody else.", name=name, spoof=spoof),
                _("The web server must set this header itself on every request to RSE; see rse host nginx."),
            )  # fmt: skip
            break
    else:
        report.passed.append("spoof")


def _person(answer: Answer) -> Any:
    try:
        return json.loads(answer.body).get("person")
    except (ValueError, AttributeError):
        return None
