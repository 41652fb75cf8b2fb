"""First names, surnames, jobs and towns to draw people from: accents, ligatures, particles, hyphens."""

from __future__ import annotations

FIRST_NAMES = tuple(
    """
    Adèle Agathe Aïcha Alain Alexis Alice Amélie Amine Anaïs André Angèle Anne-Laure Antoine
    Apolline Armelle Arnaud Aude Aurélie Awa Bastien Béatrice Benoît Bérénice Bilal Brigitte Camille
    Capucine Carole Cécile Céline Chloé Christophe Claire Clément Cœlia Colette Corentin Cyril
    Damien Denis Désirée Diane Djibril Édith Éléonore Élise Élodie Émile Émilie Emma Éric Estelle
    Étienne Eugénie Fabrice Fatima Félix Florence François Françoise Gaël Gaëlle Geneviève Gérard
    Ghislaine Gilles Grégoire Guénolé Guillaume Hélène Henri Hervé Hugo Ibrahim Inès Irène Isabelle
    Jacques Jean-Baptiste Jérôme Joëlle Joséphine Judith Jules Karim Khadija Laëtitia Laure Léa
    Léonie Loïc Louis Lucie Maëlle Manon Marc Margaux Marie-Claude Mathilde Maxime Mélanie Michèle
    Mireille Nadège Naïma Nathalie Nicolas Noël Noémie Océane Odile Olivier Pascale Patrick Pauline
    Philippe Pierre Quentin Rachid Raphaël Rémi Renée Romain Rosalie Sabine Salomé Samia Sébastien
    Simon Solène Sophie Stéphane Sylvain Tanguy Théo Thérèse Thibault Valérie Véronique Victor
    Violette Vincent Xavier Yanis Yann Yasmine Yves Zoé
    """.split()  # noqa: SIM905 - a list of 130 quoted words is harder to read
)

SURNAMES = tuple(
    " ".join(name.split())
    for name in """
    Abadie, Allard, Amsellem, Arnoux, Aubry, Auclair, Bailleul, Barthélemy, Baudry, Bazin, Belkacem,
    Benoist, Bérard, Besançon, Beaumont, Blanchet, Boissière, Bonnefoy, Bouchard, Bourguignon,
    Brémond, Briand, Cadiou, Camus, Carpentier, Castaing, Caumont, Chabrol, Chauveau, Chevallier,
    Cœurdevey, Collet, Cordier, Coulibaly, Courtois, Crépin, D'Almeida, Da Costa, Daniélou, De La
    Fontaine, Delmas, Deschamps, Diallo, Diarra, Dubreuil, Dufour, Dupont, Dupuis, Durand, El
    Amrani, Escoffier, Evrard, Fabre, Faucher, Ferrand, Fontvieille, Fournier, Gaillard, Garrigou,
    Gauthier, Girard, Gómez, Granger, Grosjean, Guéguen, Guérin, Guichard, Haddad, Hamel, Hébert,
    Henriot, Hoarau, Huët, Imbert, Jacquet, Jaouen, Joly, Jourdan, Kaced, Keïta, Kerbrat, Kowalski,
    L'Hostis, Lacaze, Lambert, Langlois, Le Bihan, Le Goff, Le Guen, Lebrun, Leclercq, Lefèvre,
    Legoff, Lemarchand, Lévêque, Lhuillier, Loiseau, Mahé, Maillard, Marchetti, Maréchal, Mendès,
    Ménard, Mercier, Michaud, Monnier, Moreau, Müller, N'Diaye, Nguyen, Noël, Œuvrard, Oudin, Pagès,
    Pasquier, Perrin, Peltier, Pham, Picard, Poirier, Pouliquen, Prévost, Prigent, Quintin, Rambaud,
    Raynaud, Renaud, Ricœur, Rivière, Robert, Rousseau, Sabatier, Saïdi, Salaün, Sauvage, Schmitt,
    Séguin, Simonet, Soulié, Tanguy, Tessier, Teyssier, Thévenet, Toussaint, Traoré, Tréguer,
    Vasseur, Verdier, Viallet, Vidal, Villeneuve, Weber, Yilmaz
    """.split(",")  # noqa: SIM905
)

JOBS = (
    "Conseil aux assurés", "Gestion des remboursements", "Accueil téléphonique", "Contrôle des dossiers",
    "Médiation", "Action sociale", "Comptabilité", "Prévention", "Lutte contre la fraude",
    "Ressources humaines", "Assistance informatique", "Développement d'applications", "Communication",
    "Logistique", "Affaires juridiques",
)  # fmt: skip

TOWNS = (
    "Aubeterre", "Bellerive", "Champlong", "Doucerive", "Essarts", "Fontclaire", "Grandval", "Hautefeuille",
    "Isleroche", "Jonchères", "Kerlann", "Lormont-le-Vieux", "Mirecombe", "Noirvaux", "Orgelet", "Pontcœur",
)  # fmt: skip
