"""A real LemonLDAP::NG with a real OpenLDAP behind it, on loopback and by TLS, in a folder of its own."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Debian's packages; the portal starts without the last seven, and then shows no form.
NEEDED = (
    "lemonldap-ng-fastcgi-server", "liblemonldap-ng-portal-perl", "libnet-ldap-perl", "slapd", "nginx",
    "libunicode-string-perl", "libio-socket-timeout-perl", "libgd-securityimage-perl", "libimage-magick-perl",
    "libxml-simple-perl", "libio-string-perl", "libstring-random-perl",
)  # fmt: skip
BASE = "dc=intranet,dc=test"
NAME, ENTITY = "Hélène Dupont", "CPAM du Finistère"
DOMAIN = "intranet.test"
TAG = '<script src="/rse/embed.js" defer></script>'


def missing(*names: str) -> list[str]:
    """The packages, of ``names`` or of those that all need, that are not installed here."""
    found = []
    for name in names or NEEDED:
        if name == "nginx":
            there = shutil.which("nginx") is not None
        else:
            done = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], capture_output=True, text=True)
            there = "install ok installed" in done.stdout
        if not there:
            found.append(name)
    return found


@dataclass
class Portal:
    """A running one.

    :param port: where nginx serves ``auth``, ``social`` (signed in by the portal) and ``open`` (by nobody).
    :param service: where the application behind it must listen.
    :param site_metadata: the site's SAML metadata; without it the portal speaks no SAML.
    :param encryption: what of a SAML answer is encrypted: ``none`` or ``assertion``.
    :param intranet: where an intranet listens that stands behind the portal as ``intranet``, with the application in its
        pages; 0 for none.
    """

    folder: Path
    port: int
    service: int
    ldap: int
    secret: str
    site_metadata: str = ""
    encryption: str = "none"
    intranet: int = 0

    @property
    def issuer(self) -> str:
        return f"https://auth.{DOMAIN}:{self.port}/"

    @property
    def saml_issuer(self) -> str:
        return self.url("auth", "/saml/metadata")

    @property
    def certificate(self) -> Path:
        return self.folder / "crt.pem"

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{host}.{DOMAIN}:{self.port}{path}"


def bring_up(portal: Portal, redirect_uri: str, back: str, started: list[subprocess.Popen[bytes]]) -> None:
    """Start the three servers; each is put into ``started`` at once, to be stopped afterwards."""
    folder = portal.folder
    for name in ("conf", "sessions/lock", "psessions/lock", "cache", "tmp", "db"):
        (folder / name).mkdir(parents=True)
    _keys(folder)
    _slapd(portal, started)
    (folder / "llng.ini").write_text(
        f"[all]\nlogLevel = info\nlogger = Lemonldap::NG::Common::Logger::Std\n[configuration]\ntype = File\n"
        f"dirName = {folder}/conf\n[portal]\nstaticPrefix = /static\n"
        "templateDir = /usr/share/lemonldap-ng/portal/templates\nlanguages = fr, en\n[handler]\nuseRedirectOnError = 1\n"
    )
    (folder / "conf/lmConf-1.json").write_text(json.dumps(_configuration(portal, redirect_uri, back)))
    (folder / "nginx.conf").write_text(_nginx(portal))
    subprocess.run(["chown", "-R", "www-data:", str(folder)], check=True)
    environ = {**os.environ, "LLNG_DEFAULTCONFFILE": f"{folder}/llng.ini"}
    environ["LLNG_DEFAULTLOGGER"] = "Lemonldap::NG::Common::Logger::Std"
    command = ["llng-fastcgi-server", "--foreground", "-u", "www-data", "-g", "www-data", "-n", "2"]
    command += ["-s", f"{folder}/fcgi.sock", "-p", f"{folder}/fcgi.pid"]
    with (folder / "fcgi.log").open("wb") as log:
        started.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True))
    _until(lambda: (folder / "fcgi.sock").exists(), "the portal")
    nginx = ["nginx", "-c", f"{folder}/nginx.conf", "-p", str(folder), "-e", f"{folder}/nginx.err"]
    started.append(subprocess.Popen(nginx, start_new_session=True))
    _until(lambda: _listens(portal.port), "nginx")


def _keys(folder: Path) -> None:
    names = "subjectAltName=" + ",".join(f"DNS:{name}.{DOMAIN}" for name in ("auth", "social", "open", "intranet"))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=auth.{DOMAIN}"]
    make += ["-addext", names, "-keyout", f"{folder}/key.pem", "-out", f"{folder}/crt.pem"]
    subprocess.run(make, check=True, capture_output=True)
    public = ["openssl", "rsa", "-in", f"{folder}/key.pem", "-pubout", "-out", f"{folder}/pub.pem"]
    subprocess.run(public, check=True, capture_output=True)


def _slapd(portal: Portal, running: list[subprocess.Popen[bytes]]) -> None:
    folder = portal.folder
    (folder / "slapd.conf").write_text(
        "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
        + f'modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\nsuffix "{BASE}"\nrootdn "cn=admin,{BASE}"\n'
        f"rootpw admin\ndirectory {folder}/db\n"
    )

    def coded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    entry = (
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: intranet\no: Test\n\n"
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
        f"dn: uid=hdupont,ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: hdupont\nsn: Dupont\ncn:: {coded(NAME)}\n"
        f"mail: hdupont@{DOMAIN}\ndepartmentNumber:: {coded(ENTITY)}\nuserPassword: hdupont\n\n"
        f"dn: uid=amartin,ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: amartin\nsn: Martin\ncn: Alice Martin\n"
        f"mail: amartin@{DOMAIN}\ndepartmentNumber:: {coded(ENTITY)}\nuserPassword: amartin\n"
    )
    subprocess.run(["slapadd", "-f", f"{folder}/slapd.conf"], input=entry.encode(), check=True, capture_output=True)
    url = f"ldap://127.0.0.1:{portal.ldap}"
    started = subprocess.Popen(
        ["slapd", "-f", f"{folder}/slapd.conf", "-h", url, "-d", "0"], start_new_session=True, stderr=subprocess.DEVNULL
    )
    running.append(started)
    _until(lambda: _listens(portal.ldap), "slapd")


def _configuration(portal: Portal, redirect_uri: str, back: str) -> dict[str, Any]:
    folder = portal.folder

    def store(name: str) -> dict[str, str]:
        made = "Lemonldap::NG::Common::Apache::Session::Generate::SHA256"
        return {"Directory": f"{folder}/{name}", "LockDirectory": f"{folder}/{name}/lock", "generateModule": made}

    attributes = {name: name for name in ("uid", "cn", "mail", "departmentNumber")}
    saml = _saml(portal, attributes) if portal.site_metadata else {}
    rp = "oidcRPMetaDataOptions"
    return {
        "cfgNum": 1, "cfgVersion": "2.16.1", "cfgAuthor": "test", "cfgDate": "1700000000", "domain": DOMAIN,
        "cookieName": "lemonldap", "securedCookie": 1, "portal": portal.issuer, "port": portal.port, "https": 1,
        "authentication": "LDAP", "userDB": "Same", "passwordDB": "Null", "registerDB": "Null",
        "ldapServer": f"ldap://127.0.0.1:{portal.ldap}", "ldapBase": f"ou=people,{BASE}", "ldapExportedVars": attributes,
        "exportedVars": {}, "macros": {"_whatToTrace": "lc($_user)"}, "whatToTrace": "_whatToTrace", "groups": {},
        "globalStorage": "Apache::Session::File", "globalStorageOptions": store("sessions"),
        "persistentStorage": "Apache::Session::File", "persistentStorageOptions": store("psessions"),
        "localSessionStorage": "Cache::FileCache",
        "localSessionStorageOptions": {
            "namespace": "s", "cache_root": f"{folder}/cache", "cache_depth": 3, "default_expires_in": 600,
            "directory_umask": "007",
        },
        "notification": 0, "requireToken": 0, "captcha_login_enabled": 0, "portalSkin": "bootstrap", "applicationList": {},
        "portalDisplayResetPassword": 0, "portalDisplayRegister": 0, "portalDisplayCertificateResetByMail": 0,
        "locationRules": {f"{name}.{DOMAIN}": {"default": "accept"} for name in ("auth", "social", "intranet")},
        "exportedHeaders": {
            f"{name}.{DOMAIN}": {"Auth-User": "$uid", "Auth-Name": "$cn", "Auth-Entity": "$departmentNumber"}
            for name in ("social", "intranet")
        },
        "issuerDBCASActivation": 1, "casAccessPolicy": "none", "casAttr": "uid",
        "casAttributes": {"cn": "cn", "mail": "mail", "departmentNumber": "departmentNumber"},
        "issuerDBOpenIDConnectActivation": 1, "oidcServicePrivateKeySig": (folder / "key.pem").read_text(),
        "oidcServicePublicKeySig": (folder / "pub.pem").read_text(), "oidcServiceKeyIdSig": "k1",
        "oidcServiceAllowAuthorizationCodeFlow": 1,
        "oidcRPMetaDataOptions": {
            "rse": {
                f"{rp}ClientID": "rse", f"{rp}ClientSecret": portal.secret, f"{rp}RedirectUris": redirect_uri,
                f"{rp}PostLogoutRedirectUris": back, f"{rp}IDTokenSignAlg": "RS256", f"{rp}BypassConsent": 1,
                f"{rp}IDTokenForceClaims": 1, f"{rp}RequirePKCE": 1, f"{rp}LogoutBypassConfirm": 1,
            }
        },
        # A claim of one's own belongs to a scope, or is never sent.
        "oidcRPMetaDataOptionsExtraClaims": {"rse": {"work": "entity"}},
        "oidcRPMetaDataExportedVars": {
            "rse": {"email": "mail", "name": "cn", "preferred_username": "uid", "entity": "departmentNumber"}
        },
        **saml,
    }  # fmt: skip


def _saml(portal: Portal, attributes: dict[str, str]) -> dict[str, Any]:
    options = "samlSPMetaDataOptions"
    return {
        "issuerDBSAMLActivation": 1, "samlServicePrivateKeySig": (portal.folder / "key.pem").read_text(),
        "samlServicePublicKeySig": portal.certificate.read_text(),
        "samlSPMetaDataXML": {"rse": {"samlSPMetaDataXML": portal.site_metadata}},
        # Whether it must be there; its name; its format; its friendly name.
        "samlSPMetaDataExportedAttributes": {"rse": {key: f"1;{name};;" for key, name in attributes.items()}},
        options: {
            "rse": {
                f"{options}NameIDFormat": "persistent", f"{options}SignSSOMessage": 1, f"{options}SignSLOMessage": 1,
                f"{options}CheckSSOMessageSignature": 1, f"{options}CheckSLOMessageSignature": 1,
                f"{options}EncryptionMode": portal.encryption, f"{options}ForceUTF8": 1,
            }
        },
    }  # fmt: skip


def make_pair(folder: Path, name: str) -> tuple[str, str]:
    """A key and its certificate for the site itself."""
    files = f"{folder}/{name}.key", f"{folder}/{name}.crt"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60", "-subj", f"/CN={name}"]
    subprocess.run([*make, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
    return files


def _nginx(portal: Portal) -> str:
    folder, listen = portal.folder, f"listen 127.0.0.1:{portal.port} ssl;"
    temp = "\n".join(f"{kind}_temp_path {folder}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    ours = f"""proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
 proxy_pass http://127.0.0.1:{portal.service};"""
    # Whoever is not signed in is led to the portal; who is, is named by it, whatever the browser wrote.
    known = f"""auth_request /lmauth; auth_request_set $gone $upstream_http_location; error_page 401 $gone;
 auth_request_set $user $upstream_http_auth_user; auth_request_set $name $upstream_http_auth_name;
 auth_request_set $entity $upstream_http_auth_entity;
 location = /lmauth {{ internal; auth_request off; include /etc/nginx/fastcgi_params; fastcgi_pass unix:{folder}/fcgi.sock;
  fastcgi_pass_request_body off; fastcgi_param CONTENT_LENGTH ""; fastcgi_param HOST $http_host;
  fastcgi_param X_ORIGINAL_URI $request_uri; }}"""
    named = f"""proxy_set_header X-RSE-User $user; proxy_set_header X-RSE-Name $name;
  proxy_set_header X-RSE-Entity $entity; proxy_set_header X-RSE-Proxy-Secret "{portal.secret}";"""
    # As rse host nginx prints it: the intranet's own pages, with one tag in each.
    intranet = f"""server {{ {listen} server_name intranet.{DOMAIN}; {known}
 location ^~ /rse/ {{ {named} proxy_set_header X-RSE-Page $request_uri; {ours} }}
 location / {{ proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
  proxy_set_header X-RSE-User "-"; proxy_set_header X-RSE-Proxy-Secret ""; proxy_set_header Auth-User $user;
  proxy_set_header Accept-Encoding ""; proxy_pass http://127.0.0.1:{portal.intranet};
  sub_filter_once on; sub_filter '</head>' '{TAG}</head>'; }} }}""" if portal.intranet else ""
    return f"""user www-data; daemon off; worker_processes 1; pid {folder}/nginx.pid; events {{ }}
http {{ include /etc/nginx/mime.types; access_log off; {temp}
ssl_certificate {folder}/crt.pem; ssl_certificate_key {folder}/key.pem; server_names_hash_bucket_size 128;
server {{ {listen} server_name auth.{DOMAIN}; root /usr/share/lemonldap-ng/portal/htdocs;
 if ($uri !~ ^/(static|javascript|favicon)) {{ rewrite ^/(.*)$ /index.psgi/$1 break; }}
 location ~ ^(?<script>/.*\\.psgi)(?:$|/) {{ include /etc/nginx/fastcgi_params; fastcgi_pass unix:{folder}/fcgi.sock;
  fastcgi_param HTTP_HOST $http_host; fastcgi_param LLTYPE psgi; fastcgi_param SCRIPT_FILENAME $document_root$script;
  fastcgi_split_path_info ^(.*\\.psgi)(/.*)$; fastcgi_param PATH_INFO $fastcgi_path_info; }}
 location /static/ {{ alias /usr/share/lemonldap-ng/portal/htdocs/static/; }}
 location /javascript/ {{ alias /usr/share/javascript/; }} }}
server {{ {listen} server_name social.{DOMAIN}; {known}
 location / {{ {named} {ours} }} }}
{intranet}
server {{ {listen} server_name open.{DOMAIN};
 location / {{ proxy_set_header X-RSE-User "-"; proxy_set_header X-RSE-Name ""; proxy_set_header X-RSE-Entity "";
  proxy_set_header X-RSE-Proxy-Secret "{portal.secret}"; {ours} }} }}
}}
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(ready: Any, what: str) -> None:
    for _ in range(200):
        if ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not start")
