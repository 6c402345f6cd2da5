"""Names that the demo draws from: families, given names by generation, streets."""

from __future__ import annotations

from typing import Final


def _list(words: str) -> tuple[str, ...]:
    """Words apart; `~` stands for a space inside one."""
    return tuple(word.replace("~", " ") for word in words.split())


FAMILIES: Final = _list(
    """Aubert Bailly Barbier Baron Baudry Benoît Berger Bernard Bertin Besson Blanchard Bonnet Boucher Bouvier Boyer Brun Brunet
    Carpentier Caron Chevalier Clément Colin Collet Cordier Cousin Da~Silva Daniel Delaunay Deschamps Didier Dufour Dumas Dumont Dupuis
    Durand Fabre Faure Ferrand Fleury Fontaine Fournier Gaillard Garnier Gauthier Germain Giraud Girard Gros Guérin Guillot Haddad Henry
    Hoarau Hubert Huet Humbert Jacquet Joly Klein Lacroix Lambert Langlois Laurent Lebrun Leclerc Lefèvre Legrand Lemaire Lemoine Leroux
    Lopez Louis Maillard Mallet Marchand Marchal Martel Masson Mathieu Ménard Mercier Meunier Michaud Millet Monnier Morel Moulin Nguyen
    Noël Olivier Pagès Paris Pelletier Perrin Perrot Petit Picard Pichon Poirier Prévost Renard Renaud Rey Rivière Robin Roche Rolland
    Roussel Roy Royer Sauvage Schmitt Simon Tessier Thibault Traoré Vasseur Vidal Vincent Weber Yılmaz"""
)

WOMEN_OF_LONG_AGO: Final = _list(
    "Andrée Colette Denise Françoise Ginette Huguette Jacqueline Jeannine Josette Madeleine Marcelle Marie-Thérèse Monique Nicole "
    "Odette Paulette Pierrette Renée Simone Suzanne Yvette Yvonne"
)
MEN_OF_LONG_AGO: Final = _list(
    "André Bernard Claude Fernand Gérard Guy Henri Jacques Jean Lucien Marcel Maurice Michel Pierre Raymond René Robert Roger Serge"
)
WOMEN: Final = _list(
    "Agnès Amandine Aurélie Aïcha Béatrice Camille Caroline Catherine Céline Claire Delphine Élodie Émilie Estelle Fatima Florence "
    "Hélène Isabelle Karine Laure Lucie Maëlle Marion Mathilde Nadia Nathalie Pauline Sandrine Solène Sophie Valérie Virginie"
)
MEN: Final = _list(
    "Adrien Alexandre Antoine Bastien Benjamin Bruno Cédric Christophe David Emmanuel Éric Fabien Florian Frédéric Guillaume Hakim "
    "Jérôme Julien Karim Laurent Mathieu Mehdi Nicolas Olivier Pascal Philippe Romain Sébastien Stéphane Thierry Vincent Xavier"
)
GIRLS: Final = _list(
    "Alice Ambre Anna Chloé Emma Inès Jade Jeanne Léa Léonie Lina Louise Manon Mila Nour Rose Zoé"
)
BOYS: Final = _list(
    "Adam Arthur Ethan Gabriel Hugo Jules Léo Louis Lucas Maël Malo Nathan Noé Raphaël Sacha Tom Yanis"
)

STREETS: Final = (
    "allée des Charmes",
    "avenue de la Gare",
    "avenue Jean-Moulin",
    "boulevard des Tanneurs",
    "chemin des Vignes",
    "cours de la République",
    "impasse du Lavoir",
    "place du Marché",
    "quai des Brumes",
    "route de la Forêt",
    "rue de l'Église",
    "rue de la Fontaine",
    "rue de la Poste",
    "rue des Écoles",
    "rue des Lilas",
    "rue des Noyers",
    "rue du Four-à-Chaux",
    "rue du Moulin",
    "rue Marie-Curie",
    "rue Pasteur",
)
