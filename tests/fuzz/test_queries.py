"""No query string makes a fault of ours, and a form finds what a query string finds (invariant 5; SEC-23, SEC-25, SEC-42)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from creneau.search.criteria import MODIFIERS
from creneau.search.parameters import ALIASES, TYPES, parameters
from creneau.search.query import Parameter
from tests.client import Reply
from tests.fuzz.canaries import FAMILY, INS
from tests.fuzz.odd import TEXTS
from tests.fuzz.sending import Line, tried
from tests.people import Practice

FORM = ("Content-Type", "application/x-www-form-urlencoded")
STRICT = ("Prefer", "handling=strict")
SEARCHED = [type for type in TYPES if type != "Binary"]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
DATES = [
    *(
        "2026",
        "2026-12",
        "2026-12-01",
        "2026-12-01T09:00",
        "2026-12-01T09:00:00+01:00",
        "2026-12-01T09:00:00.5Z",
    ),
    *("0001", "9999", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00", "2026-10-25T02:30:00"),
    *("2026-03-29T02:30:00", "2026-12-01T09:00:00 01:00", "2026-06-30T23:59:60Z"),
]
SOON = ["2026-12-01T09:00:00Z", "2026-12-02T09:00:00+01:00", "2026-12-03T08:07:00Z"]
NO_DATES = [
    "2026-02-31",
    "T",
    "2026-W01",
    "EQ2026",
    "xx2026",
    "eqeq2026",
    "20261201",
    "2026-12-01T25:00",
    "+2026",
    "\u0662026",
]
TOKENS = [
    "|",
    "a|",
    "|a",
    "a|b",
    "a|b|c",
    "\\|",
    "true",
    "false",
    "booked",
    "free",
    "1",
    "-1",
    "99999999999",
    f"urn:x|{INS}",
    "\\",
]
LINKS = [
    "Patient/1",
    "Patient/",
    "1",
    "http://elsewhere/fhir/Patient/1",
    "urn:uuid:x",
    "#a",
    "Patient/1/_history/1",
    "a/b/c",
    "?x=1",
]
NEAR = [
    "43.6|3.8|10|km",
    "91|0",
    "nan|nan",
    "inf|1|1|km",
    "0|0|1e400|km",
    "43.6|3.8||mi",
    "1|2|3|4|5",
    "1e2|3",
    "-0|-0|-0|km",
]
BY_KIND = {
    "date": st.tuples(st.sampled_from(PREFIXES), st.sampled_from(DATES)).map("".join),
    "token": st.sampled_from(TOKENS),
    "reference": st.sampled_from(LINKS),
    "special": st.sampled_from(NEAR),
}
CONTROLS = {
    "_count": ["0", "1", "1000", "1001", "99999999999", "-1", "1.0", "", "a", "٣"],
    "_sort": ["_id", "-_lastUpdated", "date", "-start", "near", "name,-family", "-", ",", "--_id", "_sort"],
    "_include": [
        "*",
        "Slot:schedule",
        "Schedule:actor",
        "Appointment:*",
        "Slot:*",
        "Schedule:actor:Location",
        "::",
        "Nope:x",
        "a",
    ],
    "_revinclude": [
        "*",
        "Appointment:actor",
        "Schedule:actor",
        "*:*",
        "Schedule:*",
        "Slot:schedule",
        ":",
        "Patient:link",
    ],
    "_total": ["accurate", "none", "estimate", "x"],
    "_summary": ["true", "text", "data", "count", "false", "x"],
    "_elements": ["id", "name,status", "a.b", "é", ",", "*", "meta", "_id"],
    "_page": [
        "x",
        "WyJhIl0",
        "W10",
        "bnVsbA",
        "W251bGwsbnVsbF0",
        "é",
        "WzE3OTYxMTU2MDAwMDAwMDAwLCJhIl0",
        "~~~",
        "=" * 50,
    ],
    "_format": ["xml", "json", "html", "application/fhir xml", "é"],
    "_pretty": ["true", "x"],
    "_lastUpdated": [*DATES, *NO_DATES],
    "_id": ["a", "a,b", "é", "'", "%00", "a" * 100],
    "_query": ["x"],
    "_filter": ["a eq 1"],
    "_content": ["x"],
    "_list": ["1"],
    "_x": ["1"],
}
MARKS = [
    ":exact",
    ":contains",
    ":missing",
    ":not",
    ":identifier",
    ":text",
    ":in",
    ":above",
    ":of-type",
    ":",
    "::",
    ".",
    ":iterate",
    ":Patient",
]


def codes(type: str) -> list[str]:
    return [row.code for row in parameters(type)] + [name for of, name in ALIASES if of == type]


def rows_of(kind: str, type: str) -> list[Parameter]:
    return [row for row in parameters(type) if row.kind == kind]


ANY_ROW = [row for type in SEARCHED for row in parameters(type)]
ANY_LINK = [row for row in ANY_ROW if row.kind == "reference"]
WORDS = st.one_of(
    st.sampled_from([text for text in TEXTS if len(text) < 200 and "\x00" not in text]),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.sampled_from(NO_DATES),
    st.sampled_from([FAMILY, INS, "mar", "É", "\\,", "a,b", ", ,", "%", "_", "%25", "*", "\x00"]),
)


@st.composite
def values(draw: st.DrawFn, kind: str) -> str:
    """One to three values, most of them of the parameter's kind."""
    usual = BY_KIND.get(kind, WORDS)
    odd = draw(st.integers(0, 5)) == 0
    found = draw(st.lists(WORDS if odd else usual, min_size=1, max_size=3))
    return draw(st.sampled_from([",", ",", ", ", "\\,", "$"] if odd else [",", ", "])).join(found)


@st.composite
def criteria(draw: st.DrawFn, type: str) -> tuple[str, str]:
    """A name and a value: a parameter, perhaps through chains or `_has`, perhaps with a modifier."""
    if draw(st.integers(0, 4)) == 0:
        name = draw(st.sampled_from(sorted(CONTROLS)))
        return name + draw(st.sampled_from([""] * 40 + MARKS)), draw(st.sampled_from(CONTROLS[name]))
    name, at = "", type
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5]))):
        step = draw(st.integers(0, 3))
        links = rows_of("reference", at)
        if step == 0 or not links:
            row = draw(st.sampled_from(ANY_LINK))
            name, at = f"{name}_has:{row.type}:{row.code}:", row.type
        else:
            row = draw(st.sampled_from(links))
            at = draw(st.sampled_from(row.targets or TYPES))
            name += f"{row.code}:{at}." if step == 1 else f"{row.code}."
    row = draw(st.sampled_from((draw(st.integers(0, 9)) and parameters(at)) or ANY_ROW))
    known = [f":{one}" for one in (*MODIFIERS[row.kind], *row.targets)]
    mark = draw(st.sampled_from(["", "", *known] if draw(st.integers(0, 5)) else MARKS))
    value = draw(st.sampled_from(["true", "false"])) if mark == ":missing" else draw(values(row.kind))
    return name + row.code + mark, value


ENCODINGS: list[Callable[[str], str]] = [
    quote_plus,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="!*'();:@$,/?[]|\\~\"{}^`").replace("%20", "+"),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
]


@st.composite
def questions(draw: st.DrawFn, type: str) -> bytes:
    """A query string on a type."""
    encode = draw(st.sampled_from(ENCODINGS))
    pairs = draw(st.lists(criteria(type), min_size=1, max_size=3))
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs).encode()


def matches(reply: Reply) -> list[Any]:
    """What a page holds, in its order; its links aside, which a form keeps to itself."""
    found = reply.json
    entries = [(one.get("fullUrl"), one["search"]["mode"]) for one in found.get("entry", ())]
    return [found.get("total"), *entries]


ALL = st.sampled_from(SEARCHED).flatmap(lambda type: st.tuples(st.just(type), questions(type)))


@tried(150)
@given(ALL, st.booleans())
def test_a_question_is_answered_or_refused_and_its_form_is_the_same(
    line: Line, office: Practice, asked: tuple[str, bytes], strict: bool
) -> None:
    type, query = asked
    more = [STRICT] if strict else []

    got = line.send("GET", f"/{type}?".encode() + query, headers=more)
    posted = line.send("POST", f"/{type}/_search", query, [FORM, *more])

    assert got.status in (200, 400, 422), (got.status, got.body)
    assert posted.status == got.status, (query, posted.body)
    if got.headers["content-type"].startswith("application/fhir+json") and got.status == 200:
        assert matches(got) == matches(posted)


@tried(40)
@given(st.sampled_from(SEARCHED), st.binary(max_size=80))
def test_bytes_that_mean_nothing_are_no_fault(line: Line, type: str, noise: bytes) -> None:
    sent = bytes(byte for byte in noise if byte > 0x20 and byte != 0x7F and byte != ord("#"))

    got = line.send("GET", f"/{type}?".encode() + sent)
    posted = line.send("POST", f"/{type}/_search", noise, [FORM])

    assert got.status in (200, 400, 422), (got.status, sent)
    assert posted.status in (200, 400, 422), (posted.status, noise)


@tried(40)
@given(ALL, st.sampled_from(["PUT", "PATCH", "DELETE", "IF-NONE-EXIST"]))
def test_the_condition_of_a_write_is_read_or_refused(
    line: Line, office: Practice, asked: tuple[str, bytes], method: str
) -> None:
    type, query = asked[0], asked[1] + b"&identifier=urn:x%7C1"
    body = json.dumps({"resourceType": type}).encode()
    headers = [("Content-Type", "application/fhir+json")]
    if method == "IF-NONE-EXIST":
        method, target = "POST", f"/{type}".encode()
        headers.append(("If-None-Exist", query.decode("latin-1")))
    else:
        target = f"/{type}?".encode() + query

    line.send(method, target, b"[]" if method == "PATCH" else body, headers)


@st.composite
def about_time(draw: st.DrawFn) -> bytes:
    """A question of `$explain`, `$availability` or `$earliest`."""
    agenda = draw(st.sampled_from(["{agenda}", "{agenda}", *LINKS]))
    dates = st.sampled_from([*SOON * 8, *DATES, *NO_DATES])
    first, second = draw(dates), draw(dates)
    match draw(st.integers(0, 2)):
        case 0:
            pairs = [("schedule", agenda), ("start", first), ("service", draw(st.sampled_from(TOKENS)))]
            target = "/Slot/$explain?"
        case 1:
            pairs = [("start", first), ("end", second)]
            target = f"/{agenda.partition('?')[0]}/$availability?"
        case _:
            number = draw(st.sampled_from(["1", "50", "51", "0", "-1", "٣", "0001" + "9" * 5_000, ""]))
            pairs = [
                ("n", number),
                ("start", draw(st.sampled_from(PREFIXES)) + first),
                draw(criteria("Slot")),
            ]
            target = "/Slot/$earliest?"
    return (
        target + "&".join(f"{quote_plus(name)}={quote_plus(value, safe='{}')}" for name, value in pairs)
    ).encode()


@tried(50)
@given(about_time())
def test_a_question_about_time_is_answered_or_refused(line: Line, office: Practice, asked: bytes) -> None:
    target = asked.replace(b"{agenda}", office.agenda.encode())

    reply = line.send("GET", target)

    assert reply.status in (200, 400, 404, 405, 422), (reply.status, target)
