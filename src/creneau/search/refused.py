"""Why a search cannot be read: one row a reason, and the problem made of it. https://hl7.org/fhir/R4/search.html#errors

A sentence names the parameter as it was written, never its value.
"""

from __future__ import annotations

from creneau.problems import Issue, Malformed, Refusal, refusal

DATE = refusal(
    "search-date",
    "value",
    "« {name} » attend une date ou un instant, par exemple ge2026-01-31 ou lt2026-01-31T08:00:00+01:00.",
    "'{name}' expects a date or an instant, such as ge2026-01-31 or lt2026-01-31T08:00:00+01:00.",
)
TOKEN = refusal(
    "search-token",
    "value",
    "« {name} » attend code, système|code, |code ou système|.",
    "'{name}' expects code, system|code, |code or system|.",
)
BOOLEAN = refusal(
    "search-boolean", "value", "« {name} » attend true ou false.", "'{name}' expects true or false."
)
INTEGER = refusal(
    "search-integer",
    "value",
    "« {name} » attend un entier positif ou nul.",
    "'{name}' expects an integer, 0 or more.",
)
REFERENCE = refusal(
    "search-reference",
    "value",
    "« {name} » attend Type/id, id ou une URL absolue.",
    "'{name}' expects Type/id, id or an absolute URL.",
)
NEAR = refusal(
    "search-near",
    "value",
    "« {name} » attend latitude|longitude|distance|unité, en degrés, unité km, m ou mi ; par défaut {kilometres} km.",
    "'{name}' expects latitude|longitude|distance|unit, in degrees, unit km, m or mi; {kilometres} km by default.",
)
EMPTY = refusal("search-empty", "value", "« {name} » n'a pas de valeur.", "'{name}' has no value.")
MODIFIER = refusal(
    "search-modifier",
    "not-supported",
    "« {name} » porte un modificateur qui n'existe pas pour ce paramètre ; possibles : {known}.",
    "'{name}' bears a modifier that this parameter does not have; possible: {known}.",
)
UNKNOWN = refusal(
    "search-parameter-unknown",
    "not-supported",
    "« {name} » n'est pas un paramètre de recherche de {type}.",
    "'{name}' is not a search parameter of {type}.",
)
NAMED = refusal(
    "search-named-unknown",
    "not-supported",
    "« {name} » nomme un type ou un paramètre que la recherche de {type} ne connaît pas.",
    "'{name}' names a type or a parameter that the search of {type} does not know.",
)
ESCAPED_PIPE = refusal(
    "search-escaped-pipe",
    "informational",
    "« {name} » porte, après une URI, une barre verticale précédée de \\ : elle fait alors partie du code. Écrivez système|code.",
    "'{name}' bears, after a URI, a pipe preceded by \\: it is then part of the code. Write system|code.",
)
"""C-43: the example that the IG prints has such a backslash."""
CHOICE = refusal(
    "search-choice",
    "value",
    "« {name} » attend l'une de ces valeurs : {known}.",
    "'{name}' expects one of: {known}.",
)
ELEMENTS = refusal(
    "search-elements",
    "value",
    "« {name} » attend des noms d'éléments séparés par des virgules.",
    "'{name}' expects names of elements separated by commas.",
)
PAGE = refusal(
    "search-page",
    "value",
    "Ce lien de page ne convient pas à cette recherche ; refaites-la depuis le début.",
    "This page link does not fit this search; search again from the start.",
)
TOO_MANY = refusal(
    "search-too-many",
    "too-costly",
    "La recherche dépasse la limite de {limit} {fr}.",
    "The search is over the limit of {limit} {en}.",
)
ENCODING = refusal(
    "search-encoding",
    "structure",
    "Les critères doivent être de l'UTF-8 encodé par pourcents, sans caractère nul.",
    "The criteria must be percent-encoded UTF-8, without a null character.",
)
CONTROL = refusal(
    "condition-control",
    "not-supported",
    "« {name} » n'a pas de sens dans la condition d'une écriture.",
    "'{name}' makes no sense in the condition of a write.",
)
IDENTIFIER = refusal(
    "condition-needs-identifier",
    "invalid",
    "La condition d'une écriture désigne la ressource par son identifiant métier : identifier=système|valeur.",
    "The condition of a write names the resource by its business identifier: identifier=system|value.",
)


def malformed(why: Refusal, **values: object) -> Malformed:
    """The problem with one issue."""
    return Malformed(Issue(why, values=values))


def too_many(limit: int, fr: str, en: str) -> Malformed:
    """The problem of a search over a limit; `fr` and `en` say of what."""
    return malformed(TOO_MANY, limit=limit, fr=fr, en=en)
