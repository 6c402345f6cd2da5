"""The part of FHIRPath that patches use: names, indexes, where, first, last, extension.

https://hl7.org/fhir/R4/fhirpath.html and http://hl7.org/fhirpath/N1/

`parse` turns the text into steps, `select` follows them in a resource and says where each element found is held, so that a patch
can change it. Names are those of the specification (`Extension.value`, not `valueString`). A criterion of `where` compares paths
and literals by `=` and `!=`, joined by `and` and `or`, and may end in `exists()`, `empty()` or `not()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from creneau.fhir.definitions import Element, elements, is_primitive, is_resource
from creneau.problems import Invalid, Refusal, refusal

NOT_READ = refusal(
    "fhirpath-syntax",
    "processing",
    "L'expression FHIRPath ne peut pas être lue (vers le caractère {position}).",
    "The FHIRPath expression cannot be read (near character {position}).",
)
NOT_OFFERED = refusal(
    "fhirpath-function",
    "processing",
    "La fonction FHIRPath {function} n'est pas proposée dans un patch ; le sont : where, first, last, extension, exists, empty, not.",
    "The FHIRPath function {function} is not offered in a patch; these are: where, first, last, extension, exists, empty, not.",
)
NO_SUCH_ELEMENT = refusal(
    "fhirpath-element",
    "processing",
    "L'expression FHIRPath nomme un élément que le type {type} n'a pas.",
    "The FHIRPath expression names an element that the type {type} does not have.",
)

TOO_COSTLY = refusal(
    "fhirpath-cost",
    "processing",
    "Les expressions FHIRPath du patch parcourent trop d'éléments.",
    "The FHIRPath expressions of the patch visit too many elements.",
)

MAX_LENGTH: Final = 2000
MAX_PARENTHESES: Final = 32


class Visits:
    """How many elements a patch may still look at: a criterion asks about each element in turn, and a patch has many."""

    def __init__(self, left: int = 200_000) -> None:
        self.left = left

    def spend(self) -> None:
        """Count one element. Invalid when there were too many."""
        self.left -= 1
        if self.left < 0:
            raise _invalid(TOO_COSTLY)


class Place(NamedTuple):
    """An element found: `holder[key]`, or `holder[key][item]` when it repeats. The resource itself has an empty holder.

    `owner` is the type that has the element, `name` its name there ("value"), `key` the JSON property ("valueString"). `value` is None
    for a primitive that has extensions only. `visits` is how many elements may still be looked at.
    """

    holder: dict[str, Any]
    owner: str
    name: str
    key: str
    item: int | None
    type: str
    value: Any
    visits: Visits


class Step(NamedTuple):
    """`kind` is "child" (argument: a name), "item" (an index), "where" (a criterion), "last" or "extension" (a URL)."""

    kind: str
    argument: Any = None


Criterion = Callable[[Place], bool]
Operand = Callable[[Place], list[Any]]
Path = tuple[Step, ...]


def parse(text: str) -> Path:
    """The steps of the expression. Invalid when it cannot be read or calls a function that is not offered."""
    if len(text) > MAX_LENGTH or text.count("(") > MAX_PARENTHESES:
        raise _invalid(NOT_READ, position=min(len(text), MAX_LENGTH))
    reader = _Reader(text)
    steps = reader.path()
    if reader.kind != "end" or any(step.kind in _OF_COLLECTIONS for step in steps):
        raise reader.refused()
    return steps


def select(path: Path, resource: dict[str, Any], visits: Visits | None = None) -> list[Place]:
    """The elements that the path leads to, in document order.

    Invalid when it names an element that the type does not have, or `visits` (its own when None) are used up.
    """
    name = str(resource.get("resourceType"))
    if path and path[0] == Step("child", name):
        path = path[1:]
    return _follow(path, [Place({}, "", "", "", None, name, resource, visits or Visits())])


# Following


def _follow(path: Path, places: list[Place]) -> list[Place]:
    for step in path:
        if step.kind == "child":
            places = [found for place in places for found in children(place, step.argument)]
        elif step.kind == "item":
            places = places[step.argument : step.argument + 1]
        elif step.kind == "last":
            places = places[-1:]
        elif step.kind == "where":
            places = [place for place in places if step.argument(place)]
        else:
            found = [inner for place in places for inner in children(place, "extension")]
            places = [place for place in found if inside(place).get("url") == step.argument]
    return places


def children(place: Place, name: str) -> Iterator[Place]:
    """The elements of that name under the place; for a choice, whichever of its types is there."""
    node, owner = inside(place), owner_type(place)
    place.visits.spend()
    for element in _present(node, named(owner, name)):
        value, sibling = node.get(element.name), node.get(f"_{element.name}")
        if isinstance(value, list) or isinstance(sibling, list):
            values = value if isinstance(value, list) else []
            for item in range(max(len(values), len(sibling) if isinstance(sibling, list) else 0)):
                place.visits.spend()
                one = values[item] if item < len(values) else None
                yield Place(node, owner, name, element.name, item, _type(element, one), one, place.visits)
        elif value is not None or sibling is not None:
            yield Place(node, owner, name, element.name, None, _type(element, value), value, place.visits)


def owner_type(place: Place) -> str:
    """The type whose elements are the children of the place; a primitive has those of Element."""
    return "Element" if is_primitive(place.type) else place.type


def inside(place: Place) -> dict[str, Any]:
    """What holds the children of the place: its value, or for a primitive the object beside it (empty when there is none)."""
    if not is_primitive(place.type):
        return place.value if isinstance(place.value, dict) else {}
    sibling = place.holder.get(f"_{place.key}")
    if isinstance(sibling, list):
        sibling = sibling[place.item] if place.item is not None and place.item < len(sibling) else None
    return sibling if isinstance(sibling, dict) else {}


@lru_cache(maxsize=4096)
def named(owner: str, name: str) -> tuple[Element, ...]:
    """The element of that name in the type, or every type of the choice. Invalid when there is none."""
    known = elements(owner)
    element = known.get(name)
    if element is not None:
        return (element,)
    choices = tuple(element for element in known.values() if element.choice == f"{name}[x]")
    if not choices:
        raise _invalid(NO_SUCH_ELEMENT, type=owner)
    return choices


def _present(node: dict[str, Any], options: tuple[Element, ...]) -> Iterable[Element]:
    """The options to look for in the object: a choice has up to fifty, of which it has one at most."""
    if len(options) == 1:
        return options
    keys = {key.removeprefix("_") for key in node}
    return [element for element in options if element.name in keys]


def _type(element: Element, value: Any) -> str:
    if element.type == "Resource" and isinstance(value, dict) and is_resource(str(value.get("resourceType"))):
        return str(value["resourceType"])
    return element.type


def same(left: Any, right: Any) -> bool:
    """JSON equality: numbers by value (1 equals 1.0), and true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


# Reading

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<date>@[0-9T:.Z+-]+)
    | (?P<number>-?[0-9]{1,30}(?:\.[0-9]{1,30})?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z_][A-Za-z0-9_]*`|\$this)
    | (?P<sign>!=|[=.()\[\]])
    | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


class _Reader:
    """A recursive descent over the tokens; `kind` and `word` are the token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.kind = self.word = ""
        self.advance()

    def advance(self) -> str:
        """Take the token ahead and read the next one."""
        taken, found = self.word, _TOKEN.match(self.text, self.position)
        if found is None or found.lastgroup is None:
            raise self.refused()
        self.kind, self.word, self.position = found.lastgroup, found[found.lastgroup], found.end()
        return taken

    def refused(self) -> Invalid:
        return _invalid(NOT_READ, position=self.position)

    def take(self, sign: str) -> None:
        if self.kind != "sign" or self.word != sign:
            raise self.refused()
        self.advance()

    def took(self, sign: str) -> bool:
        """Take the token ahead when it is that sign or keyword."""
        ahead = self.kind in ("sign", "name") and self.word == sign
        if ahead:
            self.advance()
        return ahead

    def path(self) -> Path:
        if self.kind != "name":
            raise self.refused()
        steps = [] if self.took("$this") else [self.step()]
        while self.kind == "sign" and self.word in ".[":
            steps.append(self.index() if self.took("[") else self.next_step())
        return tuple(steps)

    def index(self) -> Step:
        if self.kind != "number" or not self.word.isdigit():
            raise self.refused()
        step = Step("item", int(self.advance()))
        self.take("]")
        return step

    def next_step(self) -> Step:
        self.take(".")
        if self.kind != "name":
            raise self.refused()
        return self.step()

    def step(self) -> Step:
        name = self.advance().strip("`")
        if not self.took("("):
            return Step("child", name)
        step = self.function(name)
        self.take(")")
        return step

    def function(self, name: str) -> Step:
        if name == "where":
            return Step("where", self.either())
        if name == "extension" and self.kind == "string":
            return Step("extension", _unquoted(self.advance()))
        if name in ("exists", "empty", "not"):
            return Step(name)
        if name in ("first", "last"):
            return Step("item", 0) if name == "first" else Step("last")
        raise _invalid(NOT_OFFERED, function=name[:40])

    def either(self) -> Criterion:
        options = [self.both()]
        while self.took("or"):
            options.append(self.both())
        return lambda place: any(option(place) for option in options)

    def both(self) -> Criterion:
        conditions = [self.comparison()]
        while self.took("and"):
            conditions.append(self.comparison())
        return lambda place: all(condition(place) for condition in conditions)

    def comparison(self) -> Criterion:
        if self.took("("):
            criterion = self.either()
            self.take(")")
            return criterion
        left = self.operand()
        if self.took("="):
            right = self.operand()
            return lambda place: _equal(left(place), right(place)) is True
        if self.took("!="):
            right = self.operand()
            return lambda place: _equal(left(place), right(place)) is False
        return lambda place: left(place) == [True]

    def operand(self) -> Operand:
        if self.kind in ("string", "date", "number") or self.word in ("true", "false"):
            literal = [_literal(self.kind, self.advance())]
            return lambda place: literal
        path = self.path()
        asked = next((at for at, step in enumerate(path) if step.kind in _OF_COLLECTIONS), len(path))
        if any(step.kind not in _OF_COLLECTIONS for step in path[asked:]):
            raise self.refused()
        return lambda place: _asked(path[asked:], [found.value for found in _follow(path[:asked], [place])])


_OF_COLLECTIONS: Final = frozenset(("exists", "empty", "not"))


def _asked(questions: Path, values: list[Any]) -> list[Any]:
    for question in questions:
        if question.kind == "not":
            values = [not values[0]] if values in ([True], [False]) else []
        else:
            values = [bool(values) is (question.kind == "exists")]
    return values


def _equal(left: list[Any], right: list[Any]) -> bool | None:
    """FHIRPath equality: None (no answer) when either side is empty."""
    return same(left, right) if left and right else None


def _literal(kind: str, word: str) -> Any:
    if kind == "string":
        return _unquoted(word)
    if kind == "date":
        return word[1:]
    return Decimal(word) if kind == "number" else word == "true"


def _unquoted(word: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2]), word[1:-1]
    )


def _invalid(why: Refusal, **values: object) -> Invalid:
    problem = Invalid.of(why, "", **values)
    assert isinstance(problem, Invalid)
    return problem
