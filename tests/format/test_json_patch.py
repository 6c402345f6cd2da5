"""JSON Patch: the cases of RFC 6902 appendix A, and what a resource adds to them."""

from __future__ import annotations

import copy
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.fhir import json_patch
from creneau.problems import Invalid, Malformed, Problem

APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a",
    "meta": {"versionId": "3"},
    "status": "proposed",
    "participant": [{"status": "accepted"}, {"status": "needs-action"}],
    "minutesDuration": 15,
}


def applied(document: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy(document)
    result = json_patch.apply(document, json_patch.read(list(operations)))
    assert document == before
    return result


def refused(document: dict[str, Any], *operations: dict[str, Any]) -> tuple[type[Problem], str, Any]:
    with pytest.raises(Problem) as caught:
        applied(document, *operations)
    issue = caught.value.issues[0]
    assert issue.text("fr") and issue.text("en")
    return type(caught.value), issue.why.key, issue.values.get("operation")


@pytest.mark.parametrize(
    ("document", "operation", "result"),
    [
        ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"baz": "qux", "foo": "bar"}),
        (
            {"foo": ["bar", "baz"]},
            {"op": "add", "path": "/foo/1", "value": "qux"},
            {"foo": ["bar", "qux", "baz"]},
        ),
        ({"baz": "qux", "foo": "bar"}, {"op": "remove", "path": "/baz"}, {"foo": "bar"}),
        ({"foo": ["bar", "qux", "baz"]}, {"op": "remove", "path": "/foo/1"}, {"foo": ["bar", "baz"]}),
        (
            {"baz": "qux", "foo": "bar"},
            {"op": "replace", "path": "/baz", "value": "boo"},
            {"baz": "boo", "foo": "bar"},
        ),
        (
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            {"op": "move", "from": "/foo/waldo", "path": "/qux/thud"},
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
        ),
        (
            {"foo": ["all", "grass", "cows", "eat"]},
            {"op": "move", "from": "/foo/1", "path": "/foo/3"},
            {"foo": ["all", "cows", "eat", "grass"]},
        ),
        ({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "qux"}, {"baz": "qux"}),
        ({"foo": ["a", 2, "c"]}, {"op": "test", "path": "/foo/1", "value": 2}, {"foo": ["a", 2, "c"]}),
        (
            {"foo": "bar"},
            {"op": "add", "path": "/child", "value": {"grandchild": 1}},
            {"foo": "bar", "child": {"grandchild": 1}},
        ),
        (
            {"foo": "bar"},
            {"op": "add", "path": "/baz", "value": "qux", "xyz": 123},
            {"foo": "bar", "baz": "qux"},
        ),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"/": 9, "~1": 10}),
        (
            {"foo": ["bar"]},
            {"op": "add", "path": "/foo/-", "value": ["abc", "def"]},
            {"foo": ["bar", ["abc", "def"]]},
        ),
        ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/a"}, {"a": 1}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
        ({"a": Decimal("1.00")}, {"op": "test", "path": "/a", "value": 1}, {"a": Decimal("1.00")}),
        ({"a": 1}, {"op": "add", "path": "/", "value": 2}, {"a": 1, "": 2}),
    ],
)
def test_an_operation_changes_what_rfc_6902_says(
    document: dict[str, Any], operation: dict[str, Any], result: dict[str, Any]
) -> None:
    assert applied(document, operation) == result


@pytest.mark.parametrize(
    ("document", "operation", "key"),
    [
        ({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "bar"}, "patch-test"),
        ({"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": "10"}, "patch-test"),
        ({"a": True}, {"op": "test", "path": "/a", "value": 1}, "patch-test"),
        ({"a": [1, 2]}, {"op": "test", "path": "/a", "value": [2, 1]}, "patch-test"),
        ({"a": None}, {"op": "test", "path": "/a", "value": False}, "patch-test"),
        ({"foo": "bar"}, {"op": "add", "path": "/baz/bat", "value": "qux"}, "patch-place"),
        ({"foo": ["a"]}, {"op": "add", "path": "/foo/2", "value": "b"}, "patch-place"),
        ({"foo": ["a"]}, {"op": "add", "path": "/foo/-1", "value": "b"}, "patch-place"),
        ({"foo": ["a", "b"]}, {"op": "replace", "path": "/foo/01", "value": "b"}, "patch-place"),
        ({"foo": ["a", "b"]}, {"op": "replace", "path": "/foo/-", "value": "b"}, "patch-place"),
        ({"foo": "a"}, {"op": "replace", "path": "/bar", "value": "b"}, "patch-place"),
        ({"foo": "a"}, {"op": "add", "path": "/foo/0", "value": "b"}, "patch-place"),
        ({"foo": "a"}, {"op": "remove", "path": "/bar"}, "patch-place"),
        ({"foo": "a"}, {"op": "remove", "path": ""}, "patch-place"),
        ({"foo": "a"}, {"op": "copy", "from": "/bar", "path": "/foo"}, "patch-place"),
        ({"foo": {"a": {}}}, {"op": "move", "from": "/foo", "path": "/foo/a/b"}, "patch-place"),
    ],
)
def test_an_operation_that_does_not_apply_is_refused_by_its_number(
    document: dict[str, Any], operation: dict[str, Any], key: str
) -> None:
    fine = {"op": "test", "path": "", "value": document}

    assert refused(document, fine, operation) == (Invalid, key, 1)


@pytest.mark.parametrize(
    "operation",
    [
        3, [], {}, {"op": "add"}, {"op": "ADD", "path": "/a", "value": 1}, {"op": ["add"], "path": "/a", "value": 1},
        {"op": "add", "path": "/a"}, {"op": "test", "path": "/a"}, {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/~2", "value": 1}, {"op": "add", "path": "/~", "value": 1}, {"op": "add", "path": 1, "value": 1},
        {"op": "move", "path": "/a"}, {"op": "copy", "path": "/a", "from": None},
    ],
)  # fmt: skip
def test_an_operation_that_cannot_be_read_is_refused_by_its_number(operation: Any) -> None:
    fine = {"op": "remove", "path": "/status"}

    assert refused(APPOINTMENT, fine, operation) == (Malformed, "patch-malformed", 1)


@pytest.mark.parametrize("patch", [{}, None, "x", 3])
def test_a_patch_is_an_array(patch: object) -> None:
    with pytest.raises(Malformed):
        json_patch.read(patch)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/id", "value": "b"},
        {"op": "remove", "path": "/id"},
        {"op": "replace", "path": "/resourceType", "value": "Slot"},
        {"op": "replace", "path": "/meta/versionId", "value": "4"},
        {"op": "remove", "path": "/meta"},
        {"op": "replace", "path": "", "value": {"resourceType": "Appointment"}},
        {"op": "replace", "path": "", "value": []},
        {"op": "move", "from": "/id", "path": "/comment"},
    ],
)
def test_a_patch_does_not_change_what_identifies_the_resource(operation: dict[str, Any]) -> None:
    assert refused(APPOINTMENT, operation)[:2] == (Invalid, "patch-identity")


def test_operations_apply_in_turn_and_a_failing_one_undoes_all() -> None:
    booked = {"op": "replace", "path": "/status", "value": "booked"}

    assert (
        applied(APPOINTMENT, booked, {"op": "test", "path": "/status", "value": "booked"})["status"]
        == "booked"
    )
    assert refused(APPOINTMENT, booked, {"op": "test", "path": "/status", "value": "proposed"}) == (
        Invalid,
        "patch-test",
        1,
    )


def test_what_removals_emptied_goes_away() -> None:
    removal = {"op": "remove", "path": "/participant/0"}

    assert "participant" not in applied(APPOINTMENT, removal, removal)
    assert applied(
        APPOINTMENT, removal, removal, {"op": "add", "path": "/participant/-", "value": {"status": "x"}}
    )["participant"]


def test_copies_share_nothing_that_a_later_operation_would_change() -> None:
    patched = applied(
        APPOINTMENT,
        {"op": "copy", "from": "/participant/0", "path": "/participant/-"},
        {"op": "replace", "path": "/participant/2/status", "value": "declined"},
    )

    assert [one["status"] for one in patched["participant"]] == ["accepted", "needs-action", "declined"]


def test_copies_that_double_the_resource_again_and_again_are_refused_at_once() -> None:
    began = time.process_time()
    doubling = [{"op": "copy", "from": "/participant", "path": "/participant/-"}] * 100

    assert refused(APPOINTMENT, *doubling)[:2] == (Invalid, "patch-size")
    assert time.process_time() - began < 1


def test_a_patch_has_a_limited_number_of_operations() -> None:
    assert refused(APPOINTMENT, *[{"op": "test", "path": "", "value": APPOINTMENT}] * 201)[:2] == (
        Malformed,
        "patch-operations",
    )


documents = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
pointers = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-"]), max_size=3).map(
    lambda tokens: "".join(f"/{token}" for token in tokens)
)
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": pointers,
        "from": pointers,
        "value": documents,
    }
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), documents, max_size=3), st.lists(operations, max_size=6)
)
def test_any_patch_applies_or_is_refused_and_leaves_the_resource_alone(
    document: dict[str, Any], patch: list[dict[str, Any]]
) -> None:
    before = copy.deepcopy(document)

    with suppress(Invalid, Malformed):
        json_patch.apply(document, json_patch.read(patch))

    assert document == before
