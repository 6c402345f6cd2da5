"""How each FHIR type is written in XML: one `Member` for each JSON property.

https://hl7.org/fhir/R4/xml.html
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from creneau.fhir.definitions import elements, is_primitive, is_resource
from creneau.problems import Issue, Malformed, Refusal, refusal

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"

NOT_A_RESOURCE = refusal(
    "xml-resource",
    "structure",
    "Une ressource FHIR R4, dans l'espace de noms http://hl7.org/fhir, est attendue ici.",
    "A FHIR R4 resource, in the namespace http://hl7.org/fhir, is expected here.",
)
UNKNOWN = refusal(
    "xml-unknown-element",
    "structure",
    "Cet élément n'existe pas ici en FHIR R4.",
    "FHIR R4 has no such element here.",
)
EMPTY = refusal(
    "xml-empty",
    "structure",
    "Cet élément n'a ni valeur, ni extension, ni contenu.",
    "This element has no value, no extension and no content.",
)


class Member(NamedTuple):
    """How one JSON property is written in XML; tuples sort in the order of the specification."""

    rank: int
    name: str
    sibling: str  # `_name`, where JSON keeps id and extensions of a primitive
    kind: str  # "primitive", "complex", "resource", "xhtml" or "attribute"
    type: str
    many: bool


def _member(rank: int, owner: str, name: str) -> Member:
    element = elements(owner)[name]
    if (name == "id" and not is_resource(owner)) or (owner == "Extension" and name == "url"):
        kind = "attribute"
    elif element.type == "xhtml":
        kind = "xhtml"
    elif is_primitive(element.type):
        kind = "primitive"
    else:
        kind = "resource" if element.type == "Resource" else "complex"
    return Member(rank, name, f"_{name}", kind, element.type, element.many)


@cache
def writing(type_name: str) -> dict[str, Member]:
    """The members of a type by JSON key, `_name` keys included."""
    members = [_member(rank, type_name, name) for rank, name in enumerate(elements(type_name))]
    keys = {member.name: member for member in members}
    keys.update({member.sibling: member for member in members if member.kind == "primitive"})
    return keys


@cache
def reading(type_name: str) -> dict[str, Member]:
    """The members of a type by lxml tag, attributes left out."""
    members = {name: member for name, member in writing(type_name).items() if member.kind != "attribute"}
    return {
        f"{{{XHTML if member.kind == 'xhtml' else FHIR}}}{name}": member
        for name, member in members.items()
        if name == member.name
    }


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch


def refuse(why: Refusal, path: str, **values: object) -> Malformed:
    """The refusal of a place in the document."""
    return Malformed(Issue(why, path, values=values))


def shown(path: str, name: object) -> str:
    """The path of a member whose name the client chose: it is repeated only when it could be an element's name."""
    local = str(name).rpartition("}")[2]
    return f"{path}.{local if _NAME(local) else '?'}"
