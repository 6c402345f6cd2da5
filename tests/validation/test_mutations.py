"""Whatever element of a right resource is dropped, renamed or given another JSON type, an error names that place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creneau.fhir.definitions import elements, is_primitive
from tests.validation.samples import APPOINTMENT, PATIENT, SCHEDULE, VALIDATOR, found, official

BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"fullUrl": "urn:a", "resource": PATIENT}, {"fullUrl": "urn:b", "resource": APPOINTMENT}],
}
CONTAINED = {
    **APPOINTMENT,
    "contained": [PATIENT],
    "participant": [{"actor": {"reference": "#p1"}, "status": "accepted"}],
}
SAMPLES = [APPOINTMENT, PATIENT, SCHEDULE, BUNDLE, CONTAINED]


@cache
def accepted() -> list[str]:
    return [name for name, resource in official().items() if not found(resource)]


class Place(NamedTuple):
    """A property of an object: the object, its JSON name, the type that owns it, the FHIRPath of the owner and of the property."""

    owner: dict[str, Any]
    name: str
    type: str
    above: str
    at: str


def places(value: dict[str, Any], type_name: str, at: str) -> Iterator[Place]:
    known = elements(type_name)
    for name, child in value.items():
        element = known.get(name)
        if element is None:
            continue
        step = f"{at}.{(element.choice or name).removesuffix('[x]')}"
        yield Place(value, name, type_name, at, step)
        for index, item in enumerate(child if isinstance(child, list) else [child]):
            if isinstance(item, dict):
                inner = item["resourceType"] if element.type == "Resource" else element.type
                yield from places(item, inner, f"{step}[{index}]" if isinstance(child, list) else step)


def some_place(data: st.DataObject, resource: dict[str, Any]) -> tuple[dict[str, Any], Place]:
    changed = copy.deepcopy(resource)
    found_places = list(places(changed, changed["resourceType"], changed["resourceType"]))
    return changed, data.draw(st.sampled_from(found_places), label="place")


def named(resource: dict[str, Any], place: str) -> bool:
    return any(at == place or at.startswith((place + ".", place + "[")) for _, at in found(resource))


@given(st.data(), st.sampled_from(SAMPLES))
@settings(max_examples=150, deadline=None)
def test_a_renamed_element_is_named(data: st.DataObject, resource: dict[str, Any]) -> None:
    changed, place = some_place(data, resource)

    place.owner[place.name + "Typo"] = place.owner.pop(place.name)

    assert ("unknown-element", f"{place.above}.{place.name}Typo") in found(changed)


@given(st.data(), st.sampled_from(SAMPLES))
@settings(max_examples=150, deadline=None)
def test_an_element_of_another_json_type_is_named(data: st.DataObject, resource: dict[str, Any]) -> None:
    changed, place = some_place(data, resource)
    value = place.owner[place.name]
    others: list[Any] = [value, [[]], {"x": 1}, "text", 3, True, None, [None], [], {}, ""]
    wrong = [
        other for other in others[1:] if type(other) is not type(value) or other in ([], {}, "", [[]], [None])
    ]

    place.owner[place.name] = data.draw(st.sampled_from(wrong), label="other")

    assert named(changed, place.at)


@given(st.data(), st.sampled_from(SAMPLES))
@settings(max_examples=150, deadline=None)
def test_a_mandatory_element_that_is_dropped_is_named(data: st.DataObject, resource: dict[str, Any]) -> None:
    changed = copy.deepcopy(resource)
    every = places(changed, changed["resourceType"], changed["resourceType"])
    mandatory = [place for place in every if elements(place.type)[place.name].min > 0]
    if not mandatory:
        return
    place = data.draw(st.sampled_from(mandatory), label="place")

    del place.owner[place.name]

    assert ("missing-element", place.at) in found(changed)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_official_example_spoiled_anywhere_is_refused_there(data: st.DataObject) -> None:
    changed, place = some_place(data, official()[data.draw(st.sampled_from(accepted()), label="example")])
    element = elements(place.type)[place.name]
    primitive = is_primitive(element.type) and not element.many

    place.owner[place.name] = {"x": 1} if primitive else "text"

    assert named(changed, place.at)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "extension", "url", "valueString", "_valueString", "reference", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.data(), st.sampled_from(SAMPLES), JSON)
@settings(max_examples=300, deadline=None)
def test_no_json_in_any_place_makes_the_validator_fail(
    data: st.DataObject, resource: dict[str, Any], value: Any
) -> None:
    changed, place = some_place(data, resource)
    place.owner[data.draw(st.sampled_from([place.name, "_" + place.name, "extension", "contained"]))] = value

    issues = VALIDATOR.check(changed)

    assert all(issue.at.startswith(changed["resourceType"]) or issue.at == "" for issue in issues)


@pytest.mark.parametrize("sent", [{}, [], None, "Patient", 3, {"resourceType": 3}, {"resourceType": None}])
def test_what_is_no_resource_at_all_is_refused(sent: Any) -> None:
    [(key, _)] = found(sent)

    assert key in (
        "unknown-resource-type",
        "not-an-object",
        "empty-value",
    )


@pytest.mark.parametrize("depth", [2000, 200_000])
def test_a_resource_nested_beyond_reason_is_refused_without_failing(depth: int) -> None:
    inner: dict[str, Any] = {"url": "urn:x", "valueString": "a"}
    for _ in range(depth):
        inner = {"url": "urn:x", "extension": [inner]}

    refused = found({"resourceType": "Patient", "extension": [inner]})

    while "extension" in inner:  # Python frees a deep nest recursively
        inner = inner.pop("extension")[0]
    assert refused == [("too-deep", "Patient")]


def test_a_flood_of_errors_is_cut_short_and_still_refused() -> None:
    issues = VALIDATOR.check({"resourceType": "Patient", "name": [{"x": 1}] * 5000})

    assert len(issues) == 1001
    assert issues[-1].why.key == "too-many-findings"
