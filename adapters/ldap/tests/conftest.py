"""A real OpenLDAP for the tests, in a folder of its own, on a free loopback port."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from rse_core.testing.databases import missing_part
from rse_ldap.config import LdapSchema, parse
from rse_ldap.plugin import Ldap

# Test files are no package here: what the benchmark shares with them is loaded by its path.
_spec = importlib.util.spec_from_file_location("ldap_slapd", Path(__file__).with_name("slapd.py"))
slapd = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = slapd
_spec.loader.exec_module(slapd)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3

BASE, ADMIN, PASSWORD = slapd.BASE, slapd.ADMIN, slapd.PASSWORD
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The running server; its content is made anew for each test by ``directory``."""
    if slapd.program() is None:
        missing_part("slapd", "not installed here")
    folder = tmp_path_factory.mktemp("slapd")
    # The socket's path of a session may be long; the server needs none.
    with slapd.running(folder) as url:
        yield url
    shutil.rmtree(folder, ignore_errors=True)


class Directory:
    """What a test writes into the server, by an administrator's own connection."""

    def __init__(self, url):
        self.url = url
        self.connection = ldap3.Connection(
            ldap3.Server(url, get_info=ldap3.NONE), ADMIN, PASSWORD, auto_bind=True, check_names=False
        )

    def must(self, done):
        assert done, self.connection.result

    def empty(self):
        for base in (PEOPLE, GROUPS):
            self.connection.search(base, "(objectClass=*)", attributes=["1.1"])
            names = [one["dn"] for one in self.connection.response]
            for name in sorted(names, key=lambda dn: -dn.count(",")):
                self.connection.delete(name)
        for base in (PEOPLE, GROUPS):
            self.must(self.connection.add(base, ["organizationalUnit"], {"ou": base.split(",")[0][3:]}))

    def entity(self, name, above=PEOPLE, **values):
        dn = f"ou={name},{above}"
        self.must(self.connection.add(dn, ["organizationalUnit"], {"ou": name.replace("\\", ""), **values}))
        return dn

    def person(self, uid, name="", above=PEOPLE, **values):
        shown = name or uid.title()
        given = {"uid": uid, "cn": shown, "sn": shown.split()[-1], "displayName": shown, **values}
        dn = f"uid={uid},{above}"
        self.must(self.connection.add(dn, ["inetOrgPerson"], given))
        return dn

    def group(self, name, *members):
        dn = f"cn={name},{GROUPS}"
        self.must(self.connection.add(dn, ["groupOfNames"], {"cn": name, "member": list(members)}))
        return dn

    def change(self, dn, **values):
        self.must(self.connection.modify(dn, {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in values.items()}))

    def join(self, group, member):
        self.must(self.connection.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]}))

    def move(self, dn, rdn, above=None):
        self.must(self.connection.modify_dn(dn, rdn, new_superior=above))

    def remove(self, dn):
        self.must(self.connection.delete(dn))

    def tick(self):
        """Into the next second: the server's stamps have no finer ones."""
        time.sleep(1.05)


@pytest.fixture
def directory(server):
    found = Directory(server)
    found.empty()
    yield found
    found.connection.unbind()


@pytest.fixture
def config_of(server):
    """``config_of(people_filter="…")``: a checked configuration of the running server."""

    def config_of(**values):
        given = {
            "url": server, "bind_dn": ADMIN, "password": PASSWORD, "people_base": PEOPLE, "groups_base": GROUPS,
            "entities_base": PEOPLE, "entities_filter": "(&(objectClass=organizationalUnit)(!(ou=people)))", **values,
        }  # fmt: skip
        return parse(LdapSchema().load(given))

    return config_of


@pytest.fixture
def rse_plugins():
    return [Ldap()]


@pytest.fixture
def adapter(rse_plugins, config_of):
    """The adapter that the core has, connected to the running server."""
    rse_plugins[0].config = config_of()
    return rse_plugins[0]


@pytest.fixture
def cut():
    """``cut(port, after=…)``: a way to the server that breaks after so many bytes, ``times`` times; its port."""
    made = []

    def cut(port, *, after, times=1):
        made.append(slapd.Cutting(port, after=after, times=times))
        return made[-1].port

    yield cut
    for one in made:
        one.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(10)
