"""Small damage done to valid resources: nodes replaced by anything, keys given twice, numbers and texts that no one writes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.canaries import COMMENT, FAMILY, GIVEN, INS

LITERAL = "\ue000"
"""A string that begins so is written without its quotes: tokens that no JSON value stands for."""

TOKENS = [
    *("-0", "-0.0", "1e400", "-1e400", "1e-400", "1E+99", "1.00", "01", "+1", ".5", "1.", "0x10", "1_000"),
    *("NaN", "Infinity", "-Infinity", "9" * 400, "9" * 5000, "0." + "9" * 500, "18446744073709551616"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x41"', '"a\nb"', '"', "nul", "", "{", "]", "//"),
    *(
        '{"a":1,"a":2}',
        '{"url":"u","url":"u"}',
        '{"\\u0061":1,"a":1}',
        "{} {}",
        '"\\u0022:"',
        "[" * 70 + "]" * 70,
    ),
]
TEXTS = [
    *(
        "",
        " ",
        "\t",
        "\u00a0",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\ufffd",
        "\U0001f9d1\u200d\u2695\ufe0f",
        "e\u0301" * 50,
    ),
    *(
        "\x7f",
        "\x1b[31m",
        "\r\n",
        "%00",
        "${jndi:x}",
        "'; --",
        "<script>",
        "&amp;",
        "{0}",
        "{limit}",
        "%s",
        "../..",
        "#",
        "#a",
    ),
    *("\uffff", "\U0010ffff", "a" * 70_000, "/" * 500, " x ", "\u0130", "ß", "\u1e9e", "\ufb01"),
    *(
        "2026-02-31",
        "2026-02-30T10:00:00Z",
        "2026-13-01",
        "0000-01-01",
        "9999-12-31T23:59:60Z",
        "2026-10-25T02:30:00",
    ),
    *(
        "2026-01-01T24:00:00Z",
        "2026-01-01T10:00:00+14:01",
        "2026-01-01T10:00:00-24:00",
        "-2026",
        "+02026-01-01",
        "2026",
    ),
    *(
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999999-14:00",
        "2026-01-01T10:00:00.123456789012Z",
        "25:00:00",
    ),
    *(
        "Patient/",
        "Patient/x/_history/",
        "/Patient/1",
        "Patient/" + "a" * 65,
        "urn:uuid:",
        "urn:oid:1..2",
        "http://[::1",
    ),
    *(
        "http://a:b:c/fhir/Patient/1",
        "https://example.org/fhir/Patient/1|2",
        "Nobody/1",
        "#contained",
        "Schedule?x=1",
    ),
    *(
        "FREQ",
        "DAILY",
        "SECONDLY",
        "booked",
        "free",
        "P1D",
        "PT-1M",
        "MO",
        "-53",
        "é" * 3000,
        FAMILY,
        GIVEN,
        COMMENT,
        INS,
    ),
]
NUMBERS = [
    0,
    -1,
    1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63) - 1,
    1e308,
    5e-324,
    0.1,
    366,
    100_000_000,
]
NAMES = [
    *(
        "extension",
        "modifierExtension",
        "id",
        "meta",
        "text",
        "contained",
        "resourceType",
        "valueString",
        "valueDateTime",
    ),
    *(
        "_status",
        "_id",
        "_extension",
        "url",
        "start",
        "end",
        "identifier",
        "status",
        "actor",
        "reference",
        "",
        "é",
        "a.b",
        "$",
    ),
    *(
        "fhir_comments",
        "__proto__",
        "constructor",
        "participant",
        "slot",
        "language",
        "implicitRules",
        "value",
        "system",
    ),
]


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


DOCTYPES = [
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">',
]
PIECES = [
    *(
        "<!-- c -->",
        "<?pi x?>",
        "<![CDATA[x]]>",
        "&x;",
        "&#0;",
        "&#xD800;",
        "&#x1F600;",
        "&amp;",
        "]]>",
        "text",
        "\x00",
        "<",
    ),
    *(
        "<id/>",
        '<id value=""/>',
        '<id value="a" value="b"/>',
        '<x xmlns="urn:x"/>',
        '<extension url="u"/>',
        "<extension/>",
    ),
    *(
        '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><script/></div></text>',
        "</id>",
        "<contained/>",
    ),
    *(
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>',
        '<status value="booked"/>',
    ),
    "<a>" * 300 + "</a>" * 300,
    '<extension url="u">' * 70 + "</extension>" * 70,
]
HEADS = [
    *[""] * 40,
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<?xml version="1.0" encoding="utf-7"?>',
    '<?xml version="1.1"?>',
    *DOCTYPES,
    "\ufeff",
    " ",
]


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
