"""Small damage done to valid resources: nodes replaced by anything, keys given twice, numbers and texts that no one writes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.odd import HEADS, LITERAL, NAMES, NUMBERS, PIECES, TEXTS, TOKENS


def nested(levels: int) -> Any:
    """Extensions in one another."""
    node: Any = {"url": "urn:a", "valueBoolean": True}
    for _ in range(levels):
        node = {"url": "urn:a", "extension": [node]}
    return node


LEAVES = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from([LITERAL + token for token in TOKENS]),
    st.sampled_from([None, True, False]),
    st.text(max_size=12),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
)
ANY = st.one_of(
    LEAVES,
    st.sampled_from([[], {}, [[]], [{}], [None], {"extension": []}, [[[[]]]]]),
    st.sampled_from([nested(2), nested(29), nested(40), {"contained": [{"resourceType": "Patient"}]}]),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
Path = tuple[str | int, ...]


def paths(node: Any, here: Path = ()) -> list[Path]:
    """Every place in a value, its root first."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(path for name, child in inner for path in paths(child, (*here, name)))]


def _replace(holder: Any, name: Any, value: Any) -> None:
    holder[name] = value


def _remove(holder: Any, name: Any, value: Any) -> None:
    del holder[name]


def _repeat(holder: Any, name: Any, value: Any) -> None:
    holder[name] = [holder[name], copy.deepcopy(holder[name])]


def _many(holder: Any, name: Any, value: Any) -> None:
    if isinstance(holder[name], list):
        holder[name] = [copy.deepcopy(one) for one in holder[name][:4] for _ in range(40)]


def _insert(holder: Any, name: Any, value: Any) -> None:
    holder[name] = value if not isinstance(holder, list) else [value, holder[name]]


def _beside(holder: Any, name: Any, value: Any) -> None:
    if isinstance(holder, dict):
        holder[f"_{name}"] = value


CHANGES: list[Callable[[Any, Any, Any], None]] = [
    _replace,
    _replace,
    _replace,
    _remove,
    _repeat,
    _many,
    _insert,
    _beside,
]


WORDS = st.one_of(
    st.sampled_from(TEXTS), st.text(max_size=12), st.datetimes().map(lambda moment: moment.isoformat() + "Z")
)
FIGURES = st.one_of(
    st.sampled_from(NUMBERS), st.integers(-3, 100), st.floats(allow_nan=False, allow_infinity=False)
)


def alike(old: Any) -> st.SearchStrategy[Any]:
    """Values of the same JSON type, most of the time, so that what reads the type is passed."""
    same = st.booleans() if isinstance(old, bool) else WORDS if isinstance(old, str) else FIGURES
    return st.sampled_from([same] * 12 + [ANY]).flatmap(lambda chosen: chosen) if old is not None else ANY


def at(node: Any, way: Path) -> Any:
    """What stands at a place."""
    for step in way:
        node = node[step]
    return node


@st.composite
def damaged(draw: st.DrawFn, valid: Any) -> Any:
    """A value with one to three places changed: mostly a leaf to another of its type, else anything to anything."""
    changed = copy.deepcopy(valid)
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        places = paths(changed)[1:]
        leaves = [
            place
            for place in places
            if not isinstance(at(changed, place), dict | list) and place[-1] != "resourceType"
        ]
        if leaves and draw(st.sampled_from([True] * 4 + [False])):
            *way, name = draw(st.sampled_from(leaves))
            at(changed, tuple(way))[name] = copy.deepcopy(draw(alike(at(changed, (*way, name)))))
        elif places:
            *way, name = draw(st.sampled_from(places))
            _disturb(draw, at(changed, tuple(way)), name)
    return changed


def _disturb(draw: st.DrawFn, holder: Any, name: Any) -> None:
    value = copy.deepcopy(draw(ANY))
    if isinstance(holder, dict) and draw(st.integers(0, 3)) == 0:
        holder[draw(st.sampled_from(NAMES))] = value
    else:
        draw(st.sampled_from(CHANGES))(holder, name, value)


def _shown(text: str) -> str:
    return text[len(LITERAL) :] if text.startswith(LITERAL) else json.dumps(text, ensure_ascii=False)


def written(value: Any) -> str:
    """JSON text, the literal tokens bare."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_shown(name)}:{written(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return _shown(value) if isinstance(value, str) else json.dumps(value)


def _twice(text: str) -> str:
    """The first member again at the end."""
    return text[:-1] + ',"resourceType":"Patient"}'


FRAMES: list[Callable[[str], bytes]] = [
    *[str.encode] * 60,
    lambda text: _twice(text).encode(),
    lambda text: text.replace(":", " : ").encode(),
    lambda text: text.replace(":", "\n\t: ").encode(),
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("latin-1", "replace"),
    lambda text: text.encode() + b"\x00",
    lambda text: text.encode() + text.encode(),
    lambda text: text.encode()[:-1],
    lambda text: b"\xff" + text.encode(),
    lambda text: text.encode() + b" " * 2000,
]


@st.composite
def bodies(draw: st.DrawFn, valid: Any) -> bytes:
    """The bytes of a damaged value."""
    text = written(draw(damaged(valid)))
    return draw(st.sampled_from(FRAMES))(text)


@st.composite
def markup(draw: st.DrawFn, valid: str) -> bytes:
    """The bytes of an XML document of which some marks were removed, repeated, moved, or given another value."""
    marks = valid.replace("<", "\0<").split("\0")[1:]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(marks) - 1))
        other = draw(st.integers(0, len(marks) - 1))
        match draw(st.sampled_from([*[5] * 12, 0, 0, 1, 2, 3])):
            case 0:
                marks.insert(at, draw(st.sampled_from(PIECES)))
            case 1:
                marks[at] = marks[at] + marks[at]
            case 2:
                marks[at], marks[other] = marks[other], marks[at]
            case 3 if len(marks) > 2:
                del marks[at]
            case _:
                name = draw(st.sampled_from(["value", "url", "id", "xmlns", "xml:lang", "x:y"]))
                text = draw(st.sampled_from(TEXTS) | st.text(max_size=8))
                marks[at] = _attributed(marks[at], name, text)
    text = draw(st.sampled_from(HEADS)) + "".join(marks)
    return text.encode("utf-8", "replace")


def _attributed(mark: str, name: str, text: str) -> str:
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    head, quote, rest = mark.partition(f' {name}="')
    if quote:
        return f'{head}{quote}{shown}"{rest.partition(chr(34))[2]}'
    return mark.replace("/>", f' {name}="{shown}"/>', 1)
