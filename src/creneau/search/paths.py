"""The FHIRPath of search parameters, read once into steps over JSON.

http://hl7.org/fhirpath/N1 and https://hl7.org/fhir/R4/fhirpath.html. Understood: names from a type on, `|`, `(… as X)`, `.as(X)`,
`.where(resolve() is X)`, `.where(name='text')`, `.resolve()` (contained resources only: nothing is fetched), and
`P.exists() and P != false`. Anything else, or an element that R4 does not have, is a ValueError at start-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from creneau.fhir.definitions import elements, is_known, is_primitive
from creneau.search.query import Parameter

Step = tuple[str, ...]
"""("field", JSON name), ("where", name, text), ("is", type), ("resolve", type) or ("either", JSON names…)."""


class Branch(NamedTuple):
    """One way from a resource to values: its steps, the FHIR type of what it leads to, whether it leads to one value at most."""

    steps: tuple[Step, ...]
    type: str
    single: bool = True
    targets: tuple[str, ...] = ()


_TOKEN: Final = re.compile(
    r"\.?(?:where\(resolve\(\) is (?P<is>\w+)\)|where\((?P<where>\w+)='(?P<text>[^']*)'\)"
    r"|(?P<resolve>resolve\(\))|(?:as|ofType)\((?P<as>\w+)\)|(?P<name>\w+))"
)
_AS: Final = re.compile(r"\((.+) as (\w+)\)").fullmatch
_SETTLED: Final = re.compile(r"(.+)\.exists\(\) and \1 != false").fullmatch


@cache
def branches(parameter: Parameter) -> tuple[Branch, ...]:
    """Every way to the values of a parameter. ValueError for syntax or elements that are not understood."""
    return tuple(
        branch for part in _parts(parameter.paths) for branch in _branches(part.strip(), parameter.type)
    )


@cache
def types(parameter: Parameter) -> frozenset[str]:
    """The FHIR types of the values that a parameter looks at."""
    return frozenset(branch.type for branch in branches(parameter))


@cache
def is_single(parameter: Parameter) -> bool:
    """Whether a resource has one value of the parameter at most."""
    found = branches(parameter)
    return len(found) == 1 and found[0].single


def _parts(text: str) -> list[str]:
    """The operands of `|`, which no literal of ours contains."""
    return text.split("|")


def _branches(text: str, type: str) -> Iterable[Branch]:
    if found := _SETTLED(text):
        names = [branch.steps[-1][1] for branch in _path(found[1], type)]
        return [Branch((("either", *names),), "boolean")]
    if found := _AS(text):
        return _of_type(_path(found[1], type), found[2])
    return _path(text, type)


def _path(text: str, type: str) -> list[Branch]:
    head, _, rest = text.partition(".")
    if head not in (type, "Resource"):
        raise ValueError(f"{text!r} does not start at {type}")
    found, at = [Branch((), type)], 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if token is None:
            raise ValueError(f"{text!r} is not understood from {rest[at:]!r} on")
        found = [after for branch in found for after in _after(branch, token)]
        at = token.end()
    if not found:
        raise ValueError(f"{text!r} leads nowhere in R4")
    return found


def _after(branch: Branch, token: re.Match[str]) -> Iterable[Branch]:
    if token["name"]:
        return _fields(branch, token["name"])
    if token["as"]:
        return _of_type([branch], token["as"])
    if token["resolve"]:
        return (_step(branch, ("resolve", target), target) for target in branch.targets)
    if token["is"]:
        if branch.type != "Reference" or not is_known(token["is"]):
            raise ValueError(f"'resolve() is {token['is']}' is asked of {branch.type}")
        return (_step(branch, ("is", token["is"]), branch.type),)
    if not any(True for _ in _fields(branch, token["where"])):
        raise ValueError(f"{branch.type} has no {token['where']}")
    return (_step(branch, ("where", token["where"], token["text"]), branch.type),)


def _fields(branch: Branch, name: str) -> Iterator[Branch]:
    if is_primitive(branch.type):
        return
    for element in elements(branch.type).values():
        if element.name == name or element.choice == f"{name}[x]":
            yield Branch(
                (*branch.steps, ("field", element.name)),
                element.type,
                branch.single and not element.many,
                element.targets,
            )


def _step(branch: Branch, step: Step, type: str) -> Branch:
    return Branch((*branch.steps, step), type, branch.single, branch.targets)


def _of_type(found: Iterable[Branch], type: str) -> list[Branch]:
    if not is_known(type):
        raise ValueError(f"R4 has no type {type}")
    return [branch for branch in found if branch.type == type]
