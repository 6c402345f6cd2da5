"""JSON: what is kept to the letter, what is refused and where (SEC-21)."""

from __future__ import annotations

import json as standard
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.fhir import json
from creneau.problems import Malformed
from tests.format.made import official_examples, resources

START = b'{"resourceType":"Appointment",'


def refused(raw: bytes, **limits: int) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        json.decode(raw, **limits)
    return caught.value.issues[0].why.key, caught.value.issues[0].at


@pytest.mark.parametrize(
    "number", ["1.10", "1.00", "-0.0", "0.000", "15", "123456789012345678901234567890.10", "1E+5", "1E-21"]
)
def test_a_number_comes_back_with_the_digits_it_had(number: str) -> None:
    raw = START + b'"x":%s}' % number.encode()

    assert json.encode(json.decode(raw)) == raw


def test_a_decimal_is_a_decimal_and_an_integer_an_int() -> None:
    found = json.decode(START + b'"a":1.10,"b":1,"c":9223372036854775808000}')

    assert (found["a"], type(found["a"]), type(found["b"]), found["c"]) == (
        Decimal("1.10"),
        Decimal,
        int,
        9223372036854775808000,
    )


@pytest.mark.parametrize(
    ("rest", "key", "at"),
    [
        (b'"a":1,"a":1}', "json-duplicate-key", "Appointment.a"),
        (b'"a":1,"a" :2}', "json-duplicate-key", "Appointment.a"),
        (b'"a":1,"a"\n\t :2}', "json-duplicate-key", "Appointment.a"),
        (b'"a":1,"\\u0061":2}', "json-duplicate-key", "Appointment.a"),
        (b'"t":"\\" :","a":1,"a" :2}', "json-duplicate-key", "Appointment.a"),
        (b'"t":"\\u0022:","a":1,"a":2}', "json-duplicate-key", "Appointment.a"),
        (b'"t":"\\"\\u003a","a":1,"a":2}', "json-duplicate-key", "Appointment.a"),
        (b'"t":"\\"\\u003A","a":1,"a":2}', "json-duplicate-key", "Appointment.a"),
        (b'"t":"\\"\\u0020:","a":1,"a":2}', "json-duplicate-key", "Appointment.a"),
        (b'"participant":[{},{"actor":{"display":"x","display":"y"}}]}', "json-duplicate-key", "Appointment.participant[1].actor.display"),
        (b'"x":{"Jean Dupont":{"y":1,"y":2}}}', "json-duplicate-key", "Appointment.x.?.y"),
        (b'"x":[[{"y":{"z":1},"y":2}]]}', "json-duplicate-key", "Appointment.x[0][0].y"),
        (b'"a":NaN}', "json-not-a-number", ""),
        (b'"a":-Infinity}', "json-not-a-number", ""),
        (b'"a":1e999999999}', "json-number", ""),
        (b'"a":1E-100}', "json-number", ""),
        (b'"a":1.%s}' % (b"0" * 100), "json-number", ""),
        (b'"a":%s}' % (b"9" * 5000), "json-number", ""),
        (b'"a":"\\ud800"}', "json-character", ""),
        (b'"a":"\\ud800\\u0041"}', "json-character", ""),
        (b'"a":"\\udc00"}', "json-character", ""),
        (b'"a":["x","\\u0000"]}', "json-character", "a[1]"),
        (b'"\\u0000":1}', "json-character", ""),
        (b'"a":"\x00"}', "json-syntax", ""),
        (b'"a":"\xff"}', "json-utf8", ""),
        (b'"a":"\xed\xa0\x80"}', "json-utf8", ""),
        (b'"a":01}', "json-syntax", ""),
        (b'"a":1.}', "json-syntax", ""),
        (b'"a":1,}', "json-syntax", ""),
        (b'"a":1} {}', "json-syntax", ""),
        (b'"a":1', "json-syntax", ""),
        (b"'a':1}", "json-syntax", ""),
        (b'"a":1 /* c */}', "json-syntax", ""),
    ],
)  # fmt: skip
def test_each_fault_has_its_refusal_and_its_place(rest: bytes, key: str, at: str) -> None:
    assert refused(START + rest) == (key, at)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"", "json-syntax"),
        (b"[]", "json-object"),
        (b'"Appointment"', "json-object"),
        (b"null", "json-object"),
        (b"{}", "json-resource-type"),
        (b'{"resourceType":1}', "json-resource-type"),
        (b'{"resourceType":"Rendezvous"}', "json-resource-type"),
        (b'{"resourceType":"DomainResource"}', "json-resource-type"),
        (b'\xef\xbb\xbf{"resourceType":"Appointment"}', "json-utf8"),
        ('{"resourceType":"Appointment"}'.encode("utf-16"), "json-utf8"),
        ('{"resourceType":"Appointment"}'.encode("utf-16-le"), "json-syntax"),
        (b"[" * 100_000, "json-depth"),
        (b'{"a":' * 100_000, "json-depth"),
    ],
)
def test_what_is_no_resource_is_refused(raw: bytes, key: str) -> None:
    assert refused(raw)[0] == key


@pytest.mark.parametrize(
    "rest",
    [
        b'"a":"\\":","b":"\xc3\xa9 :  : \\" :"}',
        b'"a":"\\\\u0022:","b":"\\u00e9"}',
        b'"a" : 1,\n  "b" : {"a" : "x\\n :"}}',
        b'"a"\t:1,"b"\r\n:{"a":"\\\\"}}',
        b'"a":[{"a":1},{"a":1}]}',
        b'"":"","b":{"":"\\""}}',
    ],
)
def test_colons_and_quotes_in_strings_are_no_duplicate_keys(rest: bytes) -> None:
    raw = START + rest

    assert json.decode(raw) == standard.loads(raw)


def test_nesting_is_allowed_to_the_limit_and_not_beyond() -> None:
    inside = START + b'"x":' + b"[" * 63 + b"]" * 63 + b"}"
    beyond = START + b'"x":' + b"[" * 64 + b"]" * 64 + b"}"

    assert json.decode(inside)
    assert refused(beyond) == ("json-depth", "")


def test_values_are_allowed_to_the_limit_and_not_beyond() -> None:
    def of(values: int) -> bytes:
        return START + b'"x":[' + b",".join([b"1"] * (values - 3)) + b"]}"

    assert json.decode(of(50_000))
    assert refused(of(50_001)) == ("json-nodes", "")
    assert refused(START + b'"x":[' + b",".join([b"[]"] * 50_000) + b"]}") == ("json-nodes", "")
    assert refused(START + b'"x":{"y":1}}', max_nodes=3) == ("json-nodes", "")


def test_commas_inside_strings_are_no_values() -> None:
    raw = START + b'"x":"' + b'\\",' * 60_000 + b'"}'

    assert json.decode(raw)["x"] == '",' * 60_000


@given(resources(), st.integers(1, 40))
def test_only_too_many_values_are_refused_as_too_many(resource: dict[str, Any], most: int) -> None:
    raw = json.encode(resource)
    values = json.nodes(resource)

    if values > most:
        assert refused(raw, max_nodes=most)[0] == "json-nodes"
    else:
        assert json.decode(raw, max_nodes=most) == resource


def test_no_input_of_one_mebibyte_takes_a_second() -> None:
    evil = [
        START + b'"x":"' + b'\\":' * 340_000 + b'"}',
        START + b'"x":"' + b"  :" * 340_000 + b'"}',
        START + b'"x":' + b"9" * 1_000_000 + b"}",
        START + b'"x":' + b"1." + b"0" * 1_000_000 + b"}",
        START + b'"x":"' + b"\\u0000" * 170_000 + b'"}',
        b"[" * 1_000_000,
    ]

    for raw in evil:
        began = time.process_time()
        with suppress(Malformed):
            json.decode(raw)
        assert time.process_time() - began < 1


keys = st.text(st.sampled_from('ab":\\ \n'), max_size=3)
trees = st.recursive(
    st.text(st.sampled_from('ab":\\ \n'), max_size=6) | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(keys, inner), max_size=4),
    max_leaves=12,
)


def spelled(text: str, escaped: bool) -> str:
    """The text as a JSON string, the characters that matter here written as escapes or not."""
    if escaped:
        return '"' + "".join(f"\\u{ord(one):04x}" for one in text) + '"'
    return standard.dumps(text)


def written(tree: Any, colon: str, escaped: bool) -> str:
    """The tree as JSON; an object is a list of pairs, so that it may have a key twice."""
    if isinstance(tree, str):
        return spelled(tree, escaped)
    if isinstance(tree, list) and tree and all(isinstance(item, tuple) for item in tree):
        return (
            "{"
            + ",".join(spelled(key, False) + colon + written(item, colon, escaped) for key, item in tree)
            + "}"
        )
    if isinstance(tree, list):
        return "[" + ",".join(written(item, colon, escaped) for item in tree) + "]"
    return standard.dumps(tree)


def has_duplicate(tree: Any) -> bool:
    if not isinstance(tree, list):
        return False
    pairs = [item for item in tree if isinstance(item, tuple)]
    if tree and len(pairs) == len(tree):
        return len({key for key, _ in pairs}) < len(pairs) or any(has_duplicate(item) for _, item in pairs)
    return any(has_duplicate(item) for item in tree)


@settings(max_examples=300)
@given(trees, st.sampled_from([":", " :", ": ", "\n:", "  :", "\t : "]), st.booleans())
def test_a_duplicate_key_is_found_exactly_when_there_is_one(tree: Any, colon: str, escaped: bool) -> None:
    raw = written(tree, colon, escaped).encode()

    try:
        json.decode_value(raw)
        found = False
    except Malformed as problem:
        assert problem.issues[0].why is json.DUPLICATE_KEY
        found = True

    assert found is has_duplicate(tree)


@settings(max_examples=40)
@given(resources())
def test_any_resource_reads_back_the_same_compact_pretty_and_ordered(resource: dict[str, Any]) -> None:
    raw = json.encode(resource)

    assert json.encode(json.decode(raw)) == raw
    assert json.encode(json.decode(json.encode_pretty(resource))) == raw
    assert json.decode(json.encode_ordered(resource)) == resource


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        json.decode(raw)
    except Malformed as problem:
        assert all(issue.text("fr") and issue.text("en") for issue in problem.issues)


def test_the_official_examples_come_back_value_for_value() -> None:
    for path in official_examples():
        raw = path.read_bytes()
        expected = standard.loads(raw, parse_float=Decimal)

        assert json.decode(json.encode(json.decode(raw, max_nodes=10**6)), max_nodes=10**6) == expected, (
            path.name
        )
