"""Ready configurations: what is asked for, checked, and the templates filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from rse_core.api import RseError

from .i18n import _
from .middleware import DEFAULT_SLOTS, script_tag

TEMPLATES = Path(__file__).parent / "templates" / "configs"
_HOST = re.compile(r"[A-Za-z0-9._*-]{1,253}\Z")
_SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{32,256}\Z")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z")
_FILE = re.compile(r"/[A-Za-z0-9._/@%+-]{1,250}\Z")
_SLOT = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")


@dataclass(frozen=True, slots=True)
class Site:
    """One intranet, as an administrator describes it on the command line.

    :param server_name: the name people type; ``_`` for any.
    :param upstream: where the intranet answers, ``http://127.0.0.1:8080``.
    :param rse: where RSE answers, ``http://127.0.0.1:8400`` or ``unix:/run/rse.sock``.
    :param live: where ``rse live`` answers, ``http://127.0.0.1:8401``; "" where it does not run.
    :param listen: address and port of the web server, ``80`` or ``127.0.0.1:8081``.
    :param sso: how the web server knows who is asking: ``none``, ``basic`` (a password file, for a pilot),
        ``header``
        (the intranet's own sign-in proxy stands before and sets a header) or ``auth_request`` (a sub-request
        says).
    :param secret: shared with RSE so that nobody else can set the header; at least 32 characters.
    :param user_header: the header RSE reads.
    :param preserve_host: the intranet sees the name people typed.
    :param obeys_encoding: the intranet packs a page only for who asks for it.
    :raises RseError: names the option that cannot be used.
    """

    server_name: str = "intranet.example"
    upstream: str = "http://127.0.0.1:8080"
    rse: str = "http://127.0.0.1:8400"
    live: str = ""
    listen: str = "80"
    prefix: str = "/rse"
    profile: str = "generic"
    slots: tuple[str, ...] = DEFAULT_SLOTS
    sso: str = "none"
    secret: str = ""
    user_header: str = "X-RSE-User"
    secret_header: str = "X-RSE-Proxy-Secret"  # noqa: S105  a name
    users_file: str = "/etc/nginx/rse-users"
    auth_url: str = "http://127.0.0.1:9000/verify"
    incoming_header: str = "Auth-User"
    preserve_host: bool = True
    obeys_encoding: bool = False

    def __post_init__(self) -> None:
        _need(self.server_name == "_" or _HOST.match(self.server_name), "--server-name", self.server_name)
        _need(_listen(self.listen), "--listen", self.listen)
        _need(_address(self.upstream), "--upstream", self.upstream)
        _need(_address(self.rse) or _socket(self.rse), "--rse", self.rse)
        _need(not self.live or _address(self.live), "--live", self.live)
        _need(_address(self.auth_url, path=True), "--auth-url", self.auth_url)
        for option, value in (
            ("--user-header", self.user_header),
            ("--secret-header", self.secret_header),
            ("--incoming-header", self.incoming_header),
        ):
            _need(_HEADER.match(value), option, value)
        _need(_FILE.match(self.users_file), "--users-file", self.users_file)
        _need(all(map(_SLOT.match, self.slots)) and self.slots, "--slots", ",".join(self.slots))
        if self.sso != "none" and not _SECRET.match(self.secret):
            raise RseError(
                _("--secret is missing, or too short or too odd to be one."),
                remedy=_("Make one with rse sso secret, and put the same into rse.toml."),
            )

    @property
    def tag(self) -> str:
        """The script tag, without its data when that is the default."""
        return script_tag(self.prefix, profile=self.profile, slots=self.slots)


def _need(good: object, option: str, value: str) -> None:
    if not good:
        raise RseError(
            _("%(option)s cannot be “%(value)s”.", option=option, value=value[:80]),
            remedy=_("See rse host nginx --help for the form it takes."),
        )


def _listen(value: str) -> bool:
    host, _sep, port = value.rpartition(":")
    return port.isdigit() and 0 < int(port) < 65536 and (not host or bool(re.match(r"[0-9A-Za-z.:\[\]*-]+\Z", host)))


def _address(value: str, *, path: bool = False) -> bool:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(_HOST.match(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username)
    return fine and plain and (parts.path in ("", "/") or (path and bool(_FILE.match(parts.path))))


def _socket(value: str) -> bool:
    return value.startswith("unix:") and bool(_FILE.match(value.removeprefix("unix:")))


class _Template(Template):
    # Both servers have uses of their own for "$", "%" and "@".
    delimiter = "~~"


def nginx(site: Site, *, ssi: bool = False) -> str:
    """Return a configuration for nginx 1.18 or later, with ``sub_filter`` (and SSI when asked for)."""
    if site.obeys_encoding:
        coding = "gzip on;"
    else:
        coding = (
            "# Pages that come packed whatever is asked for are unpacked. If your intranet obeys Accept-Encoding,\n"
            "        # --obeys-encoding packs pages for slow lines instead.\n"
            "        gunzip on;\n"
            '        gzip_disable ".";'
        )
    return _fill(
        "nginx.conf",
        site,
        maps=_nginx_maps(site),
        guard=_nginx_guard(site),
        identity="\n        ".join(_nginx_headers(site, "$rse_person", site.secret or "-")),
        nobody="\n        ".join(_nginx_headers(site, "", "")),
        coding=coding,
        live=_nginx_live(site) if site.live else "",
        # With SSI a second text is replaced, and "once" counts for each.
        once="on",
        ssi=_nginx_ssi(site) if ssi else "",
    )


def apache(site: Site) -> str:
    """Return a virtual host for Apache 2.4 with ``mod_substitute``."""
    host, _sep, port = site.listen.rpartition(":")
    return _fill(
        "apache.conf",
        site,
        identity=_apache_identity(site),
        guard=_apache_guard(site),
        live=_apache_live(site) if site.live else "",
        modules="auth_basic authn_file" if site.sso == "basic" else "",
        vhost=f"{host or '*'}:{port}",
        listen_line="" if site.listen in ("80", "443") else f"\nListen {site.listen}\n",
    )


def snippet(site: Site) -> str:
    """Return the lines for the intranet's own page template."""
    elements = "\n".join(f'<rse-slot name="{name}"></rse-slot>' for name in site.slots)
    return _fill("snippet.html", site, elements=elements)


def _fill(name: str, site: Site, **parts: str) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    socket = site.rse.startswith("unix:")
    values = {
        "server_name": site.server_name,
        "listen": site.listen,
        "apache_name": "" if site.server_name == "_" else f"ServerName {site.server_name}\n    ",
        "upstream": site.upstream.rstrip("/"),
        "upstream_scheme": urlsplit(site.upstream).scheme,
        "upstream_server": _server(site.upstream),
        "rse_scheme": "http" if socket else urlsplit(site.rse).scheme,
        "rse_server": site.rse if socket else _server(site.rse),
        "rse_apache": f"{site.rse}|http://rse" if socket else site.rse.rstrip("/"),
        "prefix": site.prefix,
        "tag": site.tag,
        "tag_apache": site.tag.replace("|", r"\|").replace('"', r"\""),
        "host": "$http_host" if site.preserve_host else urlsplit(site.upstream).netloc,
        "preserve": "On" if site.preserve_host else "Off",
        "user_header": site.user_header,
        "secret_header": site.secret_header,
    }
    return re.sub(r"[ \t]+$", "", _Template(text).substitute(values, **parts), flags=re.MULTILINE)


def _server(address: str) -> str:
    parts = urlsplit(address)
    return parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"


def _nginx_headers(site: Site, person: str, secret: str) -> list[str]:
    return [
        f'proxy_set_header {site.user_header} "{person}";',
        f'proxy_set_header {site.secret_header} "{secret}";',
    ]


def _nginx_maps(site: Site) -> str:
    who = {
        "none": '""',
        "basic": "$remote_user",
        "header": f"$http_{_variable(site.incoming_header)}",
        "auth_request": "$rse_known",
    }[site.sso]
    return (
        "\n# The person, or - for nobody: always a value, so that what a client sends is always replaced.\n"
        f'map {who} $rse_person {{\n    default {who};\n    "" "-";\n}}\n'
    )


def _variable(header: str) -> str:
    return header.lower().replace("-", "_")


def _nginx_guard(site: Site) -> str:
    """What the whole server asks of its visitors, so that pages and ``/rse`` know the same person."""
    if site.sso == "basic":
        return f'auth_basic "Intranet";\n    auth_basic_user_file {site.users_file};\n'
    if site.sso == "auth_request":
        return (
            "auth_request /_rse_auth;\n"
            f"    auth_request_set $rse_known $upstream_http_{_variable(site.incoming_header)};\n"
            "    location = /_rse_auth {\n"
            "        internal;\n"
            "        auth_request off;\n"
            f"        proxy_pass {site.auth_url};\n"
            "        proxy_pass_request_body off;\n"
            '        proxy_set_header Content-Length "";\n'
            "        proxy_set_header X-Original-URI $request_uri;\n"
            "    }\n"
        )
    if site.sso == "header":
        return (
            f"# {site.incoming_header} must be set by your sign-in proxy on every request, and this server must be\n"
            "    # reachable by that proxy alone; otherwise anyone may write anybody's name into it.\n"
        )
    return "# Nobody is known here yet: add --sso, or use the signed hand-off of the sso adapter.\n"


def _nginx_live(site: Site) -> str:
    lines = (
        f"location = {site.prefix}/live {{",
        "    # One connection for each page that is open: what is said on it goes on at once.",
        f"    proxy_pass {site.live.rstrip('/')};",
        "    proxy_http_version 1.1;",
        '    proxy_set_header Connection "";',
        "    proxy_set_header Host $http_host;",
        "    proxy_set_header X-Forwarded-Proto $scheme;",
        "    proxy_set_header X-Forwarded-For $remote_addr;",
        *(f"    {line}" for line in _nginx_headers(site, "$rse_person", site.secret or "-")),
        "    proxy_connect_timeout 1s;",
        "    proxy_read_timeout 60s;",
        "    proxy_buffering off;",
        "}",
    )
    return "\n    ".join(lines)


def _apache_live(site: Site) -> str:
    address = f"{site.prefix}/live"
    return f'ProxyPass "{address}" "{site.live.rstrip("/")}{address}" connectiontimeout=1 timeout=60 flushpackets=on\n    '


def _nginx_ssi(site: Site) -> str:
    lines = (
        "",
        "# WARNING: SSI also runs directives that stand in the intranet's own pages. Switch it on only where nobody",
        "# untrusted can write <!--# ... --> into a page. Slots stand at the end of the page, or where the template",
        "# has them; the script moves nothing.",
        "ssi on;",
        "ssi_silent_errors on;",
        f"sub_filter '</body>' '{ssi_fragments(site)}</body>';",
    )
    return "\n        ".join(lines)


def ssi_fragments(site: Site) -> str:
    """Return one include directive a slot, each in a declarative shadow root; pure ASCII."""
    return "".join(
        f'<rse-slot name="{name}" data-rse-server><template shadowrootmode="open">'
        f'<!--# include virtual="{site.prefix}/embed/fragment/{name}" -->'
        "</template></rse-slot>"
        for name in site.slots
    )


def _apache_identity(site: Site) -> str:
    if site.sso == "none":
        return "# Nobody is known here yet: add --sso."
    person = f"%{{HTTP:{site.incoming_header}}}" if site.sso == "header" else "%{REMOTE_USER}"
    return "\n        ".join(
        (
            f'RequestHeader set {site.user_header} "expr={person}"',
            f'RequestHeader setifempty {site.user_header} "-"',
            f'RequestHeader set {site.secret_header} "{site.secret}"',
        )
    )


def _apache_guard(site: Site) -> str:
    if site.sso == "basic":
        return (
            '<Location "/">\n'
            "        AuthType Basic\n"
            '        AuthName "Intranet"\n'
            "        AuthBasicProvider file\n"
            f'        AuthUserFile "{site.users_file}"\n'
            "        Require valid-user\n"
            "    </Location>\n"
        )
    if site.sso == "auth_request":
        return "# Your sign-in module (mod_auth_openidc, mod_auth_cas, mod_lemonldap) sets REMOTE_USER here.\n"
    return ""
