"""A resource written as XML, with a string writer: three times as quick as a tree.

https://hl7.org/fhir/R4/xml.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

from lxml import etree

from creneau.fhir.definitions import is_resource
from creneau.fhir.xml.members import (
    EMPTY,
    FHIR,
    NOT_A_RESOURCE,
    UNKNOWN,
    XHTML,
    Member,
    refuse,
    shown,
    writing,
)
from creneau.fhir.xml.reading import parser


def encode(resource: Mapping[str, Any]) -> bytes:
    """The whole document in UTF-8, with declaration; elements in the order of the specification whatever that of the dict.

    Characters that XML 1.0 cannot hold become U+FFFD. A narrative that is not well-formed is written as its text. Malformed, with the
    path, for a key that R4 does not have there.
    """
    out = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write_resource(resource, str(resource.get("resourceType")), f' xmlns="{FHIR}"', out)
    return "".join(out).encode()


def encode_pretty(resource: Mapping[str, Any]) -> bytes:
    """The same with an element a line, two spaces a level, for `_pretty`; narratives are left as they are."""
    root = etree.fromstring(encode(resource), parser())
    _indent(root, "\n")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _indent(node: etree._Element, margin: str) -> None:
    if len(node) == 0 or node.tag.startswith(f"{{{XHTML}}}"):
        return
    node.text = margin + "  "
    for child in node:
        _indent(child, margin + "  ")
        child.tail = margin + "  "
    node[-1].tail = margin


def _write_resource(resource: Mapping[str, Any], path: str, namespace: str, out: list[str]) -> None:
    name = resource.get("resourceType")
    if not isinstance(name, str) or not is_resource(name):
        raise refuse(NOT_A_RESOURCE, path)
    out.append(f"<{name}{namespace}>")
    _write_members({key: value for key, value in resource.items() if key != "resourceType"}, name, path, out)
    out.append(f"</{name}>")


def _write_members(node: Mapping[str, Any], type_name: str, path: str, out: list[str]) -> None:
    members = writing(type_name)
    try:
        keys = sorted(node, key=members.__getitem__)
    except KeyError as error:
        raise refuse(UNKNOWN, shown(path, error.args[0])) from None
    for key in keys:
        member = members[key]
        if member.kind == "primitive":
            if key is member.name or key == member.name:
                _write_primitives(member, node[key], node.get(member.sibling), out)
            elif member.name not in node:
                _write_primitives(member, None, node[key], out)
        elif member.kind != "attribute":
            _write_complex(member, node[key], path, out)


def _write_complex(member: Member, value: Any, path: str, out: list[str]) -> None:
    inner = f"{path}.{member.name}"
    if isinstance(value, list):
        for index, item in enumerate(value):
            _write_one(member, item, f"{inner}[{index}]", out)
    else:
        _write_one(member, value, inner, out)


def _write_one(member: Member, value: Any, path: str, out: list[str]) -> None:
    name = member.name
    if member.kind == "xhtml":
        out.append(_narrative(value))
    elif not isinstance(value, Mapping):
        raise refuse(EMPTY, path)
    elif member.kind == "resource":
        out.append(f"<{name}>")
        _write_resource(value, path, "", out)
        out.append(f"</{name}>")
    else:
        out.append(f"<{name}{_attributes(value, member.type)}>")
        _write_members(value, member.type, path, out)
        out.append(f"</{name}>")


def _attributes(node: Mapping[str, Any], type_name: str) -> str:
    written = f' id="{_escaped(node["id"])}"' if "id" in node else ""
    if type_name == "Extension" and "url" in node:
        written += f' url="{_escaped(node["url"])}"'
    return written


def _write_primitives(member: Member, value: Any, sibling: Any, out: list[str]) -> None:
    if sibling is None and not isinstance(value, list):
        out.append(f'<{member.name} value="{_escaped(value)}"/>')
    elif isinstance(value, list) or isinstance(sibling, list):
        for one, other in zip_longest(value or (), sibling or ()):
            _write_primitive(member.name, one, other, out)
    else:
        _write_primitive(member.name, value, sibling, out)


def _write_primitive(name: str, value: Any, sibling: Any, out: list[str]) -> None:
    sibling = sibling or {}
    written = _attributes(sibling, "Element")
    if value is not None:
        written += f' value="{_escaped(value)}"'
    if "extension" in sibling:
        out.append(f"<{name}{written}>")
        _write_members({"extension": sibling["extension"]}, "Element", name, out)
        out.append(f"</{name}>")
    else:
        out.append(f"<{name}{written}/>")


_TO_ESCAPE: Final = re.compile('[\0-\x1f&<>"\ud800-\udfff\ufffe\uffff]')
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
    "\r": "&#13;",
    "\t": "&#9;",
}


def _escaped(value: Any) -> str:
    """The text of an attribute that reads back the same."""
    if value is True or value is False:
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    if _TO_ESCAPE.search(text):
        return _TO_ESCAPE.sub(lambda found: _ESCAPES.get(found[0], "\ufffd"), text)
    return text


def _narrative(value: Any) -> str:
    """The div as it was given when it is well-formed XHTML; otherwise a div that shows its text."""
    text = str(value)
    try:
        well_formed = "<!" not in text and etree.fromstring(text.encode(), parser()).tag == f"{{{XHTML}}}div"
    except (etree.XMLSyntaxError, UnicodeError):
        well_formed = False
    return text if well_formed else f'<div xmlns="{XHTML}">{_escaped(text)}</div>'
