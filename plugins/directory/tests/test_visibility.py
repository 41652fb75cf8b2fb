"""What is hidden is nowhere: pages, API, search, proposals, facets, exports, vCards; by a slow model, for random people.

``RSE_DIRECTORY_SEEDS=3-20`` takes other organisations.
"""

from __future__ import annotations

import io
import os
import random

import pytest
from PIL import Image

from rse_core import files, places
from rse_core.api import Actor, BadInput
from rse_core.audit import entries
from rse_core.roles import grant
from rse_core.testing.organisation import make_entity, make_space
from rse_directory.fields import AUDIENCES, BUILT_IN
from rse_directory.photos import photo_ref

#: Fields of which each person has a value that nobody else has, so that it can be looked for anywhere.
SECRETS = ("job_title", "site", "email", "phone", "expertise", "experience", "projects", "languages", "about", "office")


def seeds():
    """A few organisations, or those that were asked for."""
    first, _dash, last = os.environ.get("RSE_DIRECTORY_SEEDS", "1-2").partition("-")
    return list(range(int(first), int(last or first) + 1))


class World:
    """Random people with a secret in each field, and the rules read off the brief, one person and field at a time."""

    def __init__(self, site, seed):
        self.site, self.rng = site, random.Random(seed)
        rng, core = self.rng, site.core
        self.parent = {"top": None, "left": "top", "right": "top", "leaf": "left"}
        rows = {}
        for key, above in self.parent.items():
            rows[key] = make_entity(core, key, parent=rows.get(above))
        self.config = {}
        for field in rng.sample(SECRETS, 5):
            self.config[field] = {"audience": rng.choice(list(AUDIENCES)), "imposed": rng.random() < 0.5, "card": True}
        self.config.setdefault("office", {})["label"] = {"en": "Office", "fr": "Bureau"}
        isolated = rng.choice([[], [], ["right"], ["left", "leaf"]])
        self.isolated, self.services = isolated, rng.choice([[], ["leaf"]]) if isolated == ["right"] else []
        self.may_leave = rng.random() < 0.7
        site.set(fields=self.config, isolated=self.isolated, services=self.services, may_leave=self.may_leave, kept={
            "local": []})  # fmt: skip
        spaces = [make_space(core, f"room{number}") for number in range(2)]
        self.people, self.facts = [], {}
        for number in range(9):
            username, entity = f"p{number}", rng.choice([None, *rows])
            external = rng.random() < 0.25
            facts = {
                "entity": entity, "external": external, "manager": rng.random() < 0.4, "listed": True, "choices": {},
                "spaces": {one.id for one in spaces if rng.random() < 0.5}, "active": True,
            }  # fmt: skip
            secret = self.secrets(number)
            person = site.person(
                username, name=f"Person Number{chr(97 + number) * 3}", entity=rows.get(entity), external=external,
                is_manager=facts["manager"], spaces=[one for one in spaces if one.id in facts["spaces"]],
                **{key: secret[key] for key in ("job_title", "site", "email", "phone")},
            )  # fmt: skip
            for field in SECRETS:
                rule = self.config.get(field, {})
                imposed = rule.get("imposed", BUILT_IN[field].imposed if field in BUILT_IN else False)
                if not imposed and rng.random() < 0.5:
                    facts["choices"][field] = rng.choice(list(AUDIENCES))
            if self.may_leave and rng.random() < 0.2:
                facts["listed"] = False
            values = {key: secret[key] for key in ("experience", "projects", "languages", "about", "office")}
            site.edit(person, skills=[secret["expertise"]], choices=facts["choices"], listed=facts["listed"], **values)
            facts["beside"] = rng.sample(list(rows), 1) if rng.random() < 0.3 else []
            with core.db.write() as session:
                places.set_others(session, person.id, [rows[key].id for key in facts["beside"]])
            self.people.append(person)
            self.facts[username] = facts
        for username in rng.sample(sorted(self.facts), 1):
            self.facts[username]["active"] = False
            site.change(self.person(username), status="disabled")

    def person(self, username):
        return next(one for one in self.people if one.username == username)

    @staticmethod
    def secrets(number):
        mark = chr(97 + number) * 2
        found = {key: f"{chr(103 + place) * 3}x{mark}q" for place, key in enumerate(SECRETS)}
        return found | {"email": f"emx{mark}q@x{mark}.org", "phone": f"09{number}8{number}7{number}6{number}5"}

    # the rules

    def path(self, entity):
        found = []
        while entity is not None:
            found.append(entity)
            entity = self.parent[entity]
        return found

    def zone(self, entity):
        return next((one for one in self.path(entity) if one in self.isolated), None)

    def served(self, entity):
        return any(one in self.services for one in self.path(entity))

    def listed(self, viewer, subject):
        """Whether the subject stands in a list of the viewer's."""
        me, other = self.facts[viewer], self.facts[subject]
        if not other["active"] or (self.may_leave and not other["listed"]):
            return False
        if (me["external"] or other["external"]) and not me["spaces"] & other["spaces"]:
            return False
        if me["external"]:
            return True
        mine = [one for one in (me["entity"], *me["beside"]) if one is not None] or [None]
        near = self.zone(other["entity"]) in [self.zone(one) for one in mine]
        return near or any(self.served(one) for one in mine) or self.served(other["entity"])

    def shown(self, viewer, subject, field):
        """Whether the viewer is shown this field of the subject, found in a list."""
        me, other, rule = self.facts[viewer], self.facts[subject], self.config.get(field, {})
        base = BUILT_IN.get(field)
        audience = rule.get("audience", "everyone")
        imposed = rule.get("imposed", base.imposed if base else False)
        if not imposed:
            audience = other["choices"].get(field, audience)
        return {
            "everyone": True, "nobody": False, "managers": me["manager"],
            "entity": other["entity"] is not None
            and any(other["entity"] in self.path(one) for one in (me["entity"], *me["beside"])),
        }[audience]  # fmt: skip


@pytest.mark.parametrize("seed", seeds())
def test_what_is_hidden_is_nowhere_and_what_is_shown_is_found(site, seed):
    world = World(site, seed)
    site.set(profiles_an_hour=100_000, pages_an_hour=100_000)
    active = [one for one in world.people if world.facts[one.username]["active"]]
    wrong = []
    for viewer in active:
        client, me = site.client(viewer), viewer.username
        lists = {
            "page": client.get("/rse/directory/").text,
            "outside": client.get("/rse/directory/?outside=1").text,
            "api": client.get("/rse/api/v1/directory/people?limit=50").text,
            "facets": client.get("/rse/api/v1/directory/facets").text,
            "proposals": client.get("/rse/directory/suggest?q=person").text,
            "newcomers": client.get("/rse/directory/newcomers").text,
            "chart": client.get("/rse/directory/chart?by=entity").text,
        }
        for number, subject in enumerate(world.people):
            who = subject.username
            if who == me:
                continue
            seen, secret = world.listed(me, who), world.secrets(number)
            outside = world.facts[who]["external"]
            whole = {
                "profile": client.get(f"/rse/directory/people/{who}"),
                "api profile": client.get(f"/rse/api/v1/directory/people/{who}"),
                "vcard": client.get(f"/rse/directory/people/{who}/card.vcf"),
            }
            gone = not world.facts[who]["active"]
            for name, answer in whole.items():
                if (answer.status_code == 200) != seen and not (gone and name != "vcard"):
                    wrong.append(f"{me} {name} of {who}: {answer.status_code}, listed: {seen}")
            for field in SECRETS:
                value, shown = secret[field], seen and world.shown(me, who, field)
                if not shown:
                    for name, text in {**lists, **{key: one.text for key, one in whole.items()}}.items():
                        if value in text:
                            wrong.append(f"{me} reads {field} of {who} in {name}")
                elif value not in whole["profile"].text or value not in whole["api profile"].text:
                    wrong.append(f"{me} does not read {field} of {who}")
                typed = {"email": value.partition("@")[0], "phone": value[1:7]}.get(field, value)
                found = who in site.find(viewer, typed, outside=outside)
                if found != (shown and (not world.facts[me]["external"] or world.facts[who]["external"] == outside)):
                    wrong.append(f"{me} finds {who} by {field}: {found}, shown: {shown}")
                if not shown and who in site.suggest(viewer, typed):
                    wrong.append(f"{me} is proposed {who} by {field}")
            by = {"site": secret["site"], "job": secret["job_title"], "skill": secret["expertise"]}
            for (facet, value), field in zip(by.items(), ("site", "job_title", "expertise"), strict=True):
                if (who in site.find(viewer, outside=outside, **{facet: value})) != (seen and world.shown(me, who, field)):
                    wrong.append(f"{me} filters {who} by {facet}")
            name = f"Number{chr(97 + number) * 3}"
            if (who in site.find(viewer, name, outside=outside)) != seen:
                wrong.append(f"{me} finds {who} by name: not {seen}")
            for place, text in lists.items():
                if name in text and not seen:
                    wrong.append(f"{me} reads the name of {who} in {place}")
    assert wrong == [], "\n".join(wrong[:40])


def test_an_export_holds_only_what_its_maker_is_shown(site, anna):
    paul = site.person("paul", name="=SUM(1) Paul", email="paul@example.org", phone="0145670000")
    site.edit(paul, choices={"phone": "managers", "email": "nobody"})
    assert site.get(anna, "export.csv").status_code == 403
    with site.core.db.write() as session:
        grant(session, anna.id, "site_admin", actor=Actor("test"))
    text = site.get(anna, "export.csv").get_data(as_text=True)
    assert "'=SUM(1) Paul" in text
    assert "0145670000" not in text
    assert "paul@example.org" not in text
    with site.core.db.read() as session:
        assert [one.act for one in entries(session, act="directory.export")] == ["directory.export"]


def test_a_change_of_the_sites_rules_counts_at_once(site, anna):
    paul = site.person("paul", name="Paul Petit", phone="0145671234")
    assert site.find(anna, "671234") == ["paul"]
    site.set(fields={"phone": {"audience": "nobody", "imposed": True}})
    assert site.find(anna, "671234") == []
    assert "0145671234" not in site.get(anna, "people/paul").text
    site.set(fields={"phone": {"audience": "everyone", "imposed": True}})
    with pytest.raises(BadInput) as error:
        site.edit(paul, choices={"phone": "nobody"})
    assert "choice_phone" in error.value.fields
    assert site.find(anna, "671234") == ["paul"]


def test_leaving_the_list_is_taken_back_when_the_organisation_takes_it_back(site, anna):
    paul = site.person("paul", name="Paul Petit")
    site.edit(paul, listed=False)
    assert site.find(anna, "petit") == []
    assert site.get(anna, "people/paul").status_code == 404
    assert site.get(paul, "people/paul").status_code == 200
    site.set(may_leave=False)
    assert site.find(anna, "petit") == ["paul"]


def test_the_field_of_a_photo_says_who_reads_the_file(rse_core, tmp_path, make_site):
    site = make_site(rse_core(data_dir=str(tmp_path)))
    north = make_entity(site.core, "north")
    anna = site.person("anna", name="Anna")
    paul = site.person("paul", name="Paul Petit", entity=north)
    mia = site.person("mia", name="Mia", entity=north)
    raw = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(raw, "PNG")
    raw.seek(0)
    with site.core.db.write() as session:
        key = files.keep(session, paul.id, raw, "me.png").key
    site.edit(paul, photo=[key])

    def status(person):
        with site.client(person).get(f"/rse/files/{key}/small") as answer:
            return answer.status_code

    assert (status(anna), status(mia)) == (200, 200)
    assert key in site.get(anna, "people/paul").text
    site.edit(paul, choices={"photo": "entity"})
    assert (status(anna), status(mia)) == (404, 200)
    assert key not in site.get(anna, "people/paul").text
    with site.core.db.read() as session:
        assert len(files.of(session, [photo_ref(paul.id)])) == 1
