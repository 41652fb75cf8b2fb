"""Synchronising with a real OpenLDAP of 75,000 people in 156 entities: first, unchanged, a hundred changes; with memory.

Beside it, in the same run: ``ldapsearch`` of Debian, reading the same entries and doing nothing with them.

.. code-block:: console

    python -m benchmarks.ldap_sync                     # SQLite, and PostgreSQL where it answers
    python -m benchmarks.ldap_sync --people 5000
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from rse_core import directory, migrate
from rse_core.api import Actor, DirectorySource
from rse_core.runtime import Core
from rse_core.testing.databases import DEFAULT_POSTGRES, kit_settings
from rse_ldap.config import Config, LdapSchema, parse
from rse_ldap.reading import read

ENTITIES, GROUPS = 156, 40


def _slapd() -> Any:
    """The way of the tests to run the server."""
    path = Path(__file__).parents[1] / "adapters" / "ldap" / "tests" / "slapd.py"
    spec = importlib.util.spec_from_file_location("ldap_slapd", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _entries(base: str, people: int) -> Iterator[str]:
    yield f"dn: ou=people,{base}\nobjectClass: organizationalUnit\nou: people\n\n"
    yield f"dn: ou=groups,{base}\nobjectClass: organizationalUnit\nou: groups\n\n"
    for number in range(ENTITIES):
        yield f"dn: ou=e{number:03},ou=people,{base}\nobjectClass: organizationalUnit\nou: e{number:03}\n\n"
    names = [f"uid=p{number:05},ou=e{number % ENTITIES:03},ou=people,{base}" for number in range(people)]
    for number, name in enumerate(names):
        boss = f"manager: {names[number - number % 12]}\n" if number % 12 else ""
        yield (
            f"dn: {name}\nobjectClass: inetOrgPerson\nuid: p{number:05}\ncn: Person {number}\nsn: Number {number}\n"
            f"mail: p{number:05}@reference.example\ntitle: Adviser\ntelephoneNumber: 01 {number:08}\n{boss}\n"
        )
    for number in range(GROUPS):
        inside = "".join(f"member: {name}\n" for name in names[number :: GROUPS * 5])
        nested = f"member: cn=g{number - 1:02},ou=groups,{base}\n" if number else ""
        yield f"dn: cn=g{number:02},ou=groups,{base}\nobjectClass: groupOfNames\ncn: g{number:02}\n{inside}{nested}\n"


def main() -> None:
    """Measure on each database that answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=75_000)
    people = parser.parse_args().people
    slapd = _slapd()
    if slapd.program() is None:
        print("slapd is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        ldif = "".join(_entries(slapd.BASE, people))
        with slapd.running(Path(folder) / "slapd", ldif) as url:
            config = parse(
                LdapSchema().load(
                    {
                        "url": url, "bind_dn": slapd.ADMIN, "password": slapd.PASSWORD,
                        "people_base": f"ou=people,{slapd.BASE}", "groups_base": f"ou=groups,{slapd.BASE}",
                        "entities_base": f"ou=people,{slapd.BASE}",
                        "entities_filter": "(&(objectClass=organizationalUnit)(!(ou=people)))",
                    }
                )
            )  # fmt: skip
            floor = timed(lambda: bare(url, slapd))
            print(f"{people:,} people in {ENTITIES} entities; ldapsearch reads them in {floor:.1f} s")
            measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", config, floor, slapd)
            server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
            admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
            with admin.connect() as connection:
                connection.execute(text("DROP DATABASE IF EXISTS rse_bench_ldap"))
                connection.execute(text("CREATE DATABASE rse_bench_ldap"))
            try:
                target = make_url(server).set(database="rse_bench_ldap").render_as_string(hide_password=False)
                measure("PostgreSQL", target, config, floor, slapd)
            finally:
                with admin.connect() as connection:
                    connection.execute(text("DROP DATABASE rse_bench_ldap WITH (FORCE)"))
                admin.dispose()


def bare(url: str, slapd: Any) -> None:
    """All entries, by the tool that comes with the server."""
    with open(os.devnull, "wb") as nowhere:
        subprocess.run(
            ["ldapsearch", "-x", "-LLL", "-H", url, "-D", slapd.ADMIN, "-w", slapd.PASSWORD, "-b", slapd.BASE,
             "-E", "pr=500/noprompt", "(objectClass=*)"],
            check=True, stdout=nowhere,
        )  # fmt: skip


def change(url: str, slapd: Any, number: int) -> None:
    """A hundred people get another title."""
    ldif = "".join(
        f"dn: uid=p{one:05},ou=e{one % ENTITIES:03},ou=people,{slapd.BASE}\nchangetype: modify\nreplace: title\n"
        f"title: Title {number}\n\n"
        for one in range(0, 1000, 10)
    )
    subprocess.run(
        ["ldapmodify", "-x", "-H", url, "-D", slapd.ADMIN, "-w", slapd.PASSWORD], input=ldif.encode(), check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def measure(name: str, url: str, config: Config, floor: float, slapd: Any) -> None:
    """Print the figures of one database."""
    core = Core(kit_settings(database_url=url, legacy_origins=("https://i.example",)), plugins=[])
    migrate.upgrade(core)
    source = DirectorySource("ldap.main", "LDAP", lambda mark, progress: read(config, mark, progress))

    def sync(**values: Any) -> Callable[[], None]:
        def run() -> None:
            result = directory.sync(core, source, actor=Actor("bench"), **values)
            assert result.state == "done", (result.error, result.report.errors[:3])

        return run

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = [("first, complete", timed(sync())), ("complete, nothing changed", timed(sync(complete=True)))]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    time.sleep(1.1)
    change(config.url, slapd, 1 if name == "SQLite" else 2)
    rows.append(("a hundred changes", timed(sync())))
    rows += [(f"complete again, {number}", timed(sync(complete=True))) for number in (1, 2, 3)]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(name)
    for label, seconds in rows:
        print(f"  {label:<28} {seconds:7.1f} s   {seconds / floor:6.2f} × ldapsearch")
    print(f"  memory: {before >> 10} MiB before, {peak >> 10} MiB after two complete runs, {after >> 10} MiB after six runs")
    core.close()


def timed(act: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
