"""A resource read from XML, lenient on the order of elements and on nothing else.

https://hl7.org/fhir/R4/xml.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final

from lxml import etree

from creneau.fhir.definitions import is_resource
from creneau.fhir.json import MAX_DEPTH, MAX_NODES, number
from creneau.fhir.xml.members import (
    EMPTY,
    FHIR,
    NOT_A_RESOURCE,
    UNKNOWN,
    XHTML,
    Member,
    reading,
    refuse,
    shown,
)
from creneau.problems import Issue, Malformed, refusal

NOT_XML = refusal(
    "xml-syntax",
    "structure",
    "Le corps n'est pas du XML bien formé en UTF-8.",
    "The body is not well-formed XML in UTF-8.",
)
ENCODING = refusal(
    "xml-encoding",
    "structure",
    "Seul l'encodage UTF-8 est accepté.",
    "UTF-8 is the only encoding accepted.",
)
DOCTYPE = refusal(
    "xml-doctype",
    "structure",
    "Une déclaration DOCTYPE n'est pas acceptée.",
    "A DOCTYPE declaration is not accepted.",
)
TOO_DEEP = refusal(
    "xml-depth",
    "structure",
    "L'imbrication dépasse {limit} niveaux.",
    "Nesting goes deeper than {limit} levels.",
)
TOO_MANY = refusal(
    "xml-nodes",
    "structure",
    "Le corps contient plus de {limit} éléments.",
    "The body holds more than {limit} elements.",
)
ATTRIBUTE = refusal(
    "xml-attribute",
    "structure",
    "Cet attribut n'existe pas sur cet élément en FHIR R4.",
    "FHIR R4 has no such attribute on this element.",
)
TEXT = refusal(
    "xml-text",
    "structure",
    "Du texte se trouve hors des attributs value.",
    "There is text outside of value attributes.",
)
REPEATED = refusal(
    "xml-repeated",
    "structure",
    "Cet élément ne se répète pas.",
    "This element does not repeat.",
)


_DECLARED: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"']{0,40})["']"""
).match
_FOREIGN_START: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"<\x00", b"Lo\xa7\x94")


_SCHEMA_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


@cache
def parser() -> etree.XMLParser:
    """The one parser of the project: no entity, no document type, no network, libxml2's limits on."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def decode(raw: bytes, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> dict[str, Any]:
    """The resource as `json.decode` would give it; `max_depth` counts the levels of that JSON.

    Malformed, one row of this module each, with the path: what is not a well-formed document, a document type, another encoding, a
    limit passed, an element, attribute or text that R4 does not have there. The order of elements does not matter.
    """
    declared = _DECLARED(raw)
    if raw.startswith(_FOREIGN_START) or (declared and declared[1].lower() not in (b"utf-8", b"utf8")):
        raise refuse(ENCODING, "")
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise refuse(DOCTYPE, "")
    if raw.count(b"<") - raw.count(b"</") > max_nodes:
        raise refuse(TOO_MANY, "", limit=max_nodes)
    root = _parsed(raw)
    return _read_resource(root, "", max_depth)


def _parsed(raw: bytes) -> etree._Element:
    try:
        root = etree.fromstring(raw, parser())
    except etree.XMLSyntaxError as error:
        raise Malformed(Issue(NOT_XML, diagnostics=f"line {error.lineno}, column {error.offset}")) from None
    except ValueError:
        raise refuse(NOT_XML, "") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise refuse(DOCTYPE, "")
    root.attrib.pop(_SCHEMA_LOCATION, "")
    return root


def _read_resource(node: etree._Element, path: str, levels: int) -> dict[str, Any]:
    namespace, _, name = node.tag.rpartition("}")
    if namespace != f"{{{FHIR}" or not is_resource(name):
        raise refuse(NOT_A_RESOURCE, path)
    if node.attrib:
        raise refuse(ATTRIBUTE, shown(path or name, next(iter(node.attrib))))
    found: dict[str, Any] = {"resourceType": name}
    _read_members(node, name, path or name, (found, levels))
    return found


def _read_members(node: etree._Element, type_name: str, path: str, into: tuple[dict[str, Any], int]) -> None:
    """Put the child elements in the dict `into[0]`; `into[1]` is how many levels of JSON may still open, that dict's included."""
    if into[1] <= 0:
        raise refuse(TOO_DEEP, path)
    _refuse_text(node.text, path)
    members = reading(type_name)
    for child in node:
        member = members.get(child.tag)
        if member is None:
            raise refuse(UNKNOWN, shown(path, child.tag))
        if member.kind == "primitive":
            _read_primitive(child, member, path, into)
        else:
            _read_complex(child, member, path, into)
        _refuse_text(child.tail, path)


def _refuse_text(text: str | None, path: str) -> None:
    if text and not text.isspace():
        raise refuse(TEXT, path)


def _read_complex(node: etree._Element, member: Member, path: str, into: tuple[dict[str, Any], int]) -> None:
    found, levels = into
    inner = f"{path}.{member.name}"
    if member.many:
        items = found.setdefault(member.name, [])
        items.append(_value(node, member, f"{inner}[{len(items)}]", levels - 2))
    elif member.name in found:
        raise refuse(REPEATED, inner)
    else:
        found[member.name] = _value(node, member, inner, levels - 1)


def _value(node: etree._Element, member: Member, path: str, levels: int) -> Any:
    if member.kind == "xhtml":
        return _narrative(node)
    found: dict[str, Any] = {}
    for attribute, text in node.items():
        if member.kind != "complex" or not (
            attribute == "id" or (attribute == "url" and member.type == "Extension")
        ):
            raise refuse(ATTRIBUTE, shown(path, attribute))
        found[attribute] = text
    if member.kind == "resource":
        return _inner_resource(node, path, levels)
    _read_members(node, member.type, path, (found, levels))
    if not found:
        raise refuse(EMPTY, path)
    return found


def _inner_resource(node: etree._Element, path: str, levels: int) -> dict[str, Any]:
    if len(node) != 1:
        raise refuse(NOT_A_RESOURCE, path)
    _refuse_text(node.text, path)
    _refuse_text(node[0].tail, path)
    return _read_resource(node[0], path, levels)


def _narrative(node: etree._Element) -> str:
    """The div as text, in the default namespace: JSON readers look for `<div`."""
    namespaces: Any = {None: XHTML}
    if node.prefix:
        node = _without_prefix(node, namespaces)
    etree.cleanup_namespaces(node, top_nsmap=namespaces)
    return etree.tostring(node, encoding="unicode", with_tail=False)


def _without_prefix(node: etree._Element, namespaces: Any) -> etree._Element:
    attributes: Any = node.attrib
    copy = etree.Element(node.tag, attributes, namespaces)
    copy.text, copy.tail = node.text, node.tail
    copy.extend(_without_prefix(child, namespaces) for child in node)
    return copy


def _read_primitive(
    node: etree._Element, member: Member, path: str, into: tuple[dict[str, Any], int]
) -> None:
    found, levels = into[0], into[1] - member.many
    value, sibling = _value_and_id(node, member, path)
    if levels <= 0:
        raise refuse(TOO_DEEP, path)
    if len(node) or node.text:
        _read_members(node, "Element", f"{path}.{member.name}", (sibling, levels - 1))
    if value is None and not sibling:
        raise refuse(EMPTY, f"{path}.{member.name}")
    if member.many:
        _append(found, member, value, sibling or None)
    elif member.name in found or member.sibling in found:
        raise refuse(REPEATED, f"{path}.{member.name}")
    else:
        if value is not None:
            found[member.name] = value
        if sibling:
            found[member.sibling] = sibling


def _value_and_id(node: etree._Element, member: Member, path: str) -> tuple[Any, dict[str, Any]]:
    value: Any = None
    sibling: dict[str, Any] = {}
    for attribute, text in node.items():
        if attribute == "value":
            value = _LEXICAL.get(member.type, str)(str(text))
        elif attribute == "id":
            sibling["id"] = text
        else:
            raise refuse(ATTRIBUTE, shown(f"{path}.{member.name}", attribute))
    return value, sibling


def _append(found: dict[str, Any], member: Member, value: Any, sibling: dict[str, Any] | None) -> None:
    """Keep values and their id and extensions in two arrays of one length, either absent while it would hold nulls only."""
    length = len(found.get(member.name) or found.get(member.sibling) or ())
    for key, one in ((member.name, value), (member.sibling, sibling)):
        if one is not None and key not in found:
            found[key] = [None] * length
        if key in found:
            found[key].append(one)


_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,99})").fullmatch
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch


def _boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _integer(text: str) -> int | str:
    return int(text) if _INTEGER(text) else text


def _decimal(text: str) -> Decimal | int | str:
    """As JSON would give it: an int without point and exponent, the text when it is no decimal."""
    if not _DECIMAL(text):
        return text
    value = number(text)
    if value is None:
        return text
    return int(text) if _INTEGER(text) and text != "-0" else value


_LEXICAL: Final[dict[str, Callable[[str], Any]]] = {
    "boolean": _boolean,
    "integer": _integer,
    "positiveInt": _integer,
    "unsignedInt": _integer,
    "decimal": _decimal,
}
