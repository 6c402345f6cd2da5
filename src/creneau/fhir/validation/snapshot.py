"""A StructureDefinition with snapshot -> the compact form of what it demands. https://hl7.org/fhir/R4/elementdefinition.html"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from creneau.fhir.definitions import Element, elements, is_known, is_primitive
from creneau.fhir.validation.base_types import CORE, SYSTEM
from creneau.fhir.validation.constraints import UNBOUNDED, Node, Profile, Slice, Test
from creneau.fhir.validation.package import Json
from creneau.fhir.validation.slicing import slice_tests

TypeOf = Callable[[str], str]

# What R4 itself calls types; their elements are the profile's own children.
INLINE: Final = frozenset(("BackboneElement", "Element"))


class NotCompilable(Exception):
    """None of the StructureDefinitions can be used."""


@dataclass(slots=True)
class Draft:
    """An element while the tree is built: its facts, its slices by name, its children, how its slices are told."""

    node: Node
    discriminators: list[Json] = field(default_factory=list)
    slices: dict[str, Draft] = field(default_factory=dict)
    children: dict[str, Draft] = field(default_factory=dict)


def is_usable(structure: Json) -> bool:
    """Whether the StructureDefinition has a snapshot and is about a type of FHIR R4."""
    return bool(structure.get("snapshot", {}).get("element")) and is_known(
        str(structure["type"]).removeprefix(CORE)
    )


def compiled(structure: Json, type_of: TypeOf) -> Profile:
    """The profile or extension definition in compact form. `type_of` gives the type of a profile URL, "" when unknown.

    The structure must be usable.
    """
    url, type_name = str(structure["url"]), str(structure["type"]).removeprefix(CORE)
    described = structure["snapshot"]["element"]
    root = Draft(Node(invariants=_own_rules(described[0], url)))
    for element in described[1:]:
        _place(root, element, _facts(element, url, type_of))
    contexts = [
        context["expression"] for context in structure.get("context", ()) if context["type"] != "extension"
    ]
    return Profile(url, type_name, contexts, _without_own_names(_finished(root), url))


def _without_own_names(node: Node, url: str) -> Node:
    """Without what is true whenever the profile is looked up: an extension's own url, the optional slice naming the canonical."""
    own = node.children.get("url")
    if own is not None and own.fixed == url:
        del node.children["url"]
    meta = node.children.get("meta")
    if (
        meta is not None
        and list(meta.children) == ["profile"]
        and not any(s.node.min for s in meta.children["profile"].slices)
    ):
        del node.children["meta"]
    return node


def _place(root: Draft, element: Json, facts: Node) -> None:
    here = root
    for name, slice_name in _steps(element):
        here = here.children.setdefault(name, Draft(Node()))
        if slice_name:
            here = here.slices.setdefault(slice_name, Draft(Node()))
    here.node = facts
    slicing = element.get("slicing", {})
    here.discriminators = slicing.get("discriminator", [])
    here.node.closed = slicing.get("rules") == "closed"


def _steps(element: Json) -> Iterator[tuple[str, str]]:
    names = element["path"].split(".")
    parts = element["id"].split(".")
    if len(parts) != len(names):
        # A slice name with a dot: the names of the path say where each step ends.
        pattern = r"\.".join(re.escape(name) + r"(?::(.*?))?" for name in names)
        found = re.fullmatch(pattern, element["id"])
        parts = [
            f"{name}:{part or ''}" for name, part in zip(names, found.groups() if found else (), strict=False)
        ]
    for part in parts[1:]:
        name, _, slice_name = part.partition(":")
        yield name, slice_name


def _facts(element: Json, url: str, type_of: TypeOf) -> Node:
    base = _base_elements(element)
    node = Node(invariants=_own_rules(element, url))
    _count(node, element)
    _types(node, element, base)
    _targets(node, element, base, type_of)
    _values(node, element)
    binding = element.get("binding", {})
    required = (
        str(binding.get("valueSet", "")).partition("|")[0] if binding.get("strength") == "required" else ""
    )
    if required not in {known.binding for known in base}:
        node.binding = required
    return node


def _own_rules(element: Json, url: str) -> list[str]:
    return [rule["key"] for rule in element.get("constraint", ()) if rule.get("source") == url]


def _base_elements(element: Json) -> list[Element]:
    parent, _, name = element["base"]["path"].rpartition(".")
    if not is_known(parent) or is_primitive(parent):
        return []
    return [known for known in elements(parent).values() if name in (known.name, known.choice)]


def _count(node: Node, element: Json) -> None:
    base: Json = {"min": 0, "max": "*"} if "sliceName" in element else element["base"]
    if element["min"] > base["min"]:
        node.min = element["min"]
    if element["max"] != "*" and (base["max"] == "*" or int(element["max"]) < int(base["max"])):
        node.max = int(element["max"])


def _types(node: Node, element: Json, base: list[Element]) -> None:
    described = [type_ for type_ in element.get("type", ()) if not type_["code"].startswith(SYSTEM)]
    codes = [type_["code"] for type_ in described]
    if codes and not INLINE.intersection(codes) and set(codes) < {known.type for known in base}:
        node.types = codes
    if codes and base and base[0].type == "Resource" and codes != ["Resource"]:
        node.types = codes
    profiles = [url.partition("|")[0] for type_ in described for url in type_.get("profile", ())]
    node.profiles = [
        url for url in profiles if url.removeprefix(CORE) not in {known.profile for known in base}
    ]


def _targets(node: Node, element: Json, base: list[Element], type_of: TypeOf) -> None:
    urls = [
        url
        for type_ in element.get("type", ())
        if type_["code"] == "Reference"
        for url in type_.get("targetProfile", ())
    ]
    names = list(dict.fromkeys(type_of(url.partition("|")[0]) for url in urls))
    known = next((element.targets for element in base if element.type == "Reference"), ())
    if names and "" not in names and "Resource" not in names and set(names) != set(known):
        node.targets = names


def _values(node: Node, element: Json) -> None:
    for name, value in element.items():
        if name.startswith("fixed"):
            node.fixed = value
        elif name.startswith("pattern"):
            node.pattern = value


def _finished(draft: Draft) -> Node:
    node = draft.node
    node.children = _kept({name: _finished(child) for name, child in draft.children.items()})
    for name, part in draft.slices.items():
        inner = _finished(part)
        tests = slice_tests(inner, draft.discriminators)
        inner = _without_tested(inner, tests)
        if tests and (node.closed or not inner.is_empty()):
            node.slices.append(Slice(name, tests, inner))
    if not draft.slices:
        node.closed = False
    return _merged(node)


def _merged(node: Node) -> Node:
    """A choice of one type, sliced by type, is that slice: `value[x]` of Reference and its `valueReference` are one element."""
    if len(node.slices) != 1 or node.types != node.slices[0].node.types:
        return node
    part = node.slices[0]
    rest = msgspec.structs.replace(node, slices=[], closed=False, types=[], min=0, max=UNBOUNDED)
    if not rest.is_empty() or part.tests != [Test("type", "", node.types)]:
        return node
    most = min((most for most in (node.max, part.node.max) if most != UNBOUNDED), default=UNBOUNDED)
    return msgspec.structs.replace(part.node, min=max(node.min, part.node.min), max=most)


def _kept(children: Mapping[str, Node]) -> dict[str, Node]:
    return {name: child for name, child in children.items() if not child.is_empty()}


def _without_tested(node: Node, tests: list[Test]) -> Node:
    # The members of an extension slice have the url they were told by, and are checked against its definition anyway.
    if any(test.path == "url" and test.kind == "fixed" for test in tests):
        node.children.pop("url", None)
        node.profiles = []
    return node


def encoded(profile: Profile) -> msgspec.Raw:
    """The profile as the tables carry it."""
    return msgspec.Raw(msgspec.json.encode(profile))


def type_lookup(types: Mapping[str, Any]) -> TypeOf:
    """The type a profile is about: from `types` by URL, or the R4 type itself for a URL of the specification."""

    def type_of(url: str) -> str:
        name = url.removeprefix(CORE)
        return str(types.get(url, "")) or (name if is_known(name) else "")

    return type_of
