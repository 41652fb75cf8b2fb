"""The people of the demo: nine entities, sixty people, two groups, in the files of ``rse people import``.

They are kept in ``data/``; ``python -m rse_example_intranet.demo_organisation FOLDER`` writes them again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from rse_example_intranet.organisation import (
    MAIL_DOMAIN,
    EntityRow,
    GroupRow,
    OrganisationFiles,
    PersonRow,
    unique_username,
    write_rows,
)

DEMO_ENTITIES = (
    ("AP", "Assurance publique", ""),
    ("SIEGE", "Siège national", "AP"),
    ("SIEGE-COM", "Direction de la communication", "SIEGE"),
    ("SIEGE-RH", "Direction des ressources humaines", "SIEGE"),
    ("SIEGE-DSI", "Direction des systèmes d’information", "SIEGE"),
    ("TROIS-RIVIERES", "Caisse des Trois-Rivières", "AP"),
    ("COTE-BLANCHE", "Caisse de la Côte-Blanche", "AP"),
    ("VAL-ARGENT", "Caisse du Val-d’Argent", "AP"),
    ("HAUT-PLATEAU", "Caisse du Haut-Plateau", "AP"),
)
DEMO_PARENT = {entity: parent for entity, _, parent in DEMO_ENTITIES}
DEMO_SITES = {
    "SIEGE": "Quai des Tilleuls",
    "SIEGE-COM": "Quai des Tilleuls",
    "SIEGE-RH": "Quai des Tilleuls",
    "SIEGE-DSI": "Rue du Four",
    "TROIS-RIVIERES": "Place du Marché",
    "COTE-BLANCHE": "Site du Phare",
    "VAL-ARGENT": "Les Forges",
    "HAUT-PLATEAU": "Grand-Place",
}
DEMO_COMMUNICATION = ("Léa Fontvieille", "Hugo Sabatier", "Hélène Dupont", "François Œuvrard", "Awa Diallo")
DEMO_AMBASSADORS = (
    "Rémi Castaing", "Amine Haddad", "Élodie Le Guen", "Théo Müller", "Maëlle Quintin", "Yanis Belkacem",
)  # fmt: skip

#: Who leads a team within an entity -> who answers to them rather than to the head of the entity.
DEMO_TEAMS = {
    "Noémie Besançon": ("Gérard L'Hostis", "Thérèse Pagès"),
    "Hugo Sabatier": ("Capucine Crépin", "Naïma El Amrani"),
    "Cyril D'Almeida": ("Zoé Bourguignon", "Sophie Müller"),
    "Samia Kaced": ("Daniel Weber", "Loïc Guéguen", "Anaïs N'Diaye"),
    "Bérénice Huët": ("Karim Saïdi",),
    "Djibril Traoré": ("Amine Haddad", "Mireille Soulié", "Emma Nguyen"),
    "Marie-Claude Renaud": ("Thibault De La Fontaine",),
    "Olivier Cœurdevey": ("Fatima Belkacem",),
    "Désirée Coulibaly": ("Bastien Legoff", "Yanis Belkacem", "Irène Kowalski"),
    "Maëlle Quintin": ("Chloé Brémond", "Ibrahim Keïta"),
}
DEMO_LEADER = {name: leader for leader, names in DEMO_TEAMS.items() for name in names}

#: Entity -> its people, one a line: name | job | locale (French when left out). The first leads the entity.
#: Two are called Hélène Dupont and two Pierre Durand, in different entities.
DEMO_STAFF = {
    "SIEGE": """
        Solène Kerbrat | Direction générale
        Noémie Besançon | Secrétariat général
        Gérard L'Hostis | Archives
        Thérèse Pagès | Contrôle de gestion
        Pierre Durand | Affaires juridiques
        Hortense Vidal | Médecine du travail
    """,
    "SIEGE-COM": """
        Léa Fontvieille | Direction de la communication
        Hugo Sabatier | Rédaction de l'intranet
        Capucine Crépin | Graphisme
        Étienne Ricœur | Relations avec la presse
        Naïma El Amrani | Modération
    """,
    "SIEGE-RH": """
        Inès Garrigou | Direction des ressources humaines
        Cyril D'Almeida | Formation
        Adèle Loiseau | Paie
        Jean-Baptiste Le Bihan | Dialogue social
        Zoé Bourguignon | Mobilité
        Sophie Müller | International staff support | en
    """,
    "SIEGE-DSI": """
        Rémi Castaing | Direction des systèmes d'information
        Samia Kaced | Exploitation
        Daniel Weber | Platform engineering | en
        Loïc Guéguen | Assistance informatique
        Anaïs N'Diaye | Sécurité
        Bérénice Huët | Développement d'applications
        Karim Saïdi | Développement d'applications
    """,
    "TROIS-RIVIERES": """
        Ghislaine Thévenet | Direction de la caisse
        Hélène Dupont | Communication locale
        Amine Haddad | Conseil aux assurés
        Gaël Prigent | Ressources humaines de proximité
        Françoise Lévêque | Gestion des remboursements
        Djibril Traoré | Accueil du public
        Mireille Soulié | Accueil du public
        Thibault De La Fontaine | Médiation
        Marie-Claude Renaud | Action sociale
        Emma Nguyen | Conseil aux assurés | en
    """,
    "COTE-BLANCHE": """
        Armelle Pouliquen | Direction de la caisse
        François Œuvrard | Communication locale
        Élodie Le Guen | Assistance informatique
        Cœlia Marchetti | Ressources humaines de proximité
        Guénolé Tréguer | Accueil téléphonique
        Fatima Belkacem | Gestion des remboursements
        Sébastien Mahé | Logistique
        Hélène Dupont | Prévention
        Olivier Cœurdevey | Contrôle des dossiers
    """,
    "VAL-ARGENT": """
        Raphaël Boissière | Direction de la caisse
        Awa Diallo | Communication locale
        Théo Müller | Assistance informatique
        Bastien Legoff | Permanence mobile
        Yanis Belkacem | Accueil en langue des signes
        Désirée Coulibaly | Action sociale
        Pierre Durand | Gestion des remboursements
        Agathe Viallet | Lutte contre la fraude
        Irène Kowalski | Conseil aux assurés
    """,
    "HAUT-PLATEAU": """
        Benoît Lacaze | Direction de la caisse
        Maëlle Quintin | Plateforme téléphonique
        Noël Teyssier | Ressources humaines de proximité
        Chloé Brémond | Accueil téléphonique
        Valérie Simonet | Gestion des remboursements
        Ibrahim Keïta | Accueil du public
        Joëlle Peltier | Comptabilité
        Xavier Schmitt | Prévention
    """,
}


def demo_organisation() -> tuple[list[EntityRow], list[PersonRow], list[GroupRow]]:
    """Return the demo's nine entities, sixty people and two groups; always the same."""
    people: list[PersonRow] = []
    taken: set[str] = set()
    managers: dict[str, str] = {}
    numbers = {name: f"A{number:04d}" for number, (_, name, *_) in enumerate(_demo_names(), start=1)}
    for number, (entity, name, job, leads, locale) in enumerate(_demo_names(), start=1):
        external = f"A{number:04d}"
        parent = DEMO_PARENT.get(entity, "")
        above = managers.get(entity) or managers.get(parent) or managers.get("SIEGE", "")
        if leads:
            above = managers.get(parent) or managers.get("SIEGE", "")
            managers[entity] = external
        elif name in DEMO_LEADER:
            above = numbers[DEMO_LEADER[name]]
        username = unique_username(name, taken)
        people.append(
            PersonRow(
                external,
                username,
                name,
                f"{username}@{MAIL_DOMAIN}",
                entity,
                job,
                above,
                "true" if leads or name in DEMO_TEAMS else "false",
                locale,
                f"01 99 00 {number // 100:02d} {number % 100:02d}",
                DEMO_SITES[entity],
            )
        )
    by_name = {person.display_name: person.external_id for person in reversed(people)}
    groups = [GroupRow("communication", "Communication", by_name[name]) for name in DEMO_COMMUNICATION] + [
        GroupRow("ambassadeurs", "Ambassadeurs", by_name[name]) for name in DEMO_AMBASSADORS
    ]
    return [EntityRow(*row) for row in DEMO_ENTITIES], people, groups


def write_demo(folder: Path) -> OrganisationFiles:
    """Write the demo's three files into ``folder``."""
    entities, people, groups = demo_organisation()
    files = OrganisationFiles(folder / "entities.csv", folder / "people.csv", folder / "groups.csv")
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(files.entities, EntityRow, map(astuple, entities))
    write_rows(files.people, PersonRow, map(astuple, people))
    write_rows(files.groups, GroupRow, map(astuple, groups))
    return files


def _demo_names() -> Iterable[tuple[str, str, str, bool, str]]:
    for entity, lines in DEMO_STAFF.items():
        for position, line in enumerate(lines.strip().splitlines()):
            name, job, *locale = (part.strip() for part in line.split("|"))
            yield entity, name, job, position == 0, locale[0] if locale else "fr"


if __name__ == "__main__":
    write_demo(Path(sys.argv[1]))
