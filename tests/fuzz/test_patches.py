"""No patch makes a fault of ours, and one that does not apply leaves nothing behind (flows 1b, 2b, 3abc, 6b; invariant 5).

https://www.rfc-editor.org/rfc/rfc6902, https://hl7.org/fhir/R4/fhirpatch.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.canaries import FAMILY, GIVEN
from tests.fuzz.keeping import SENT_JSON, kept, versions
from tests.fuzz.mutations import ANY, bodies, written
from tests.fuzz.seeds import JSON_PATCH, PARAMETERS, fresh, patient
from tests.fuzz.sending import Line, tried


@pytest.mark.parametrize(
    ("media", "valid"),
    [("application/json-patch+json", JSON_PATCH), ("application/fhir+json", PARAMETERS)],
    ids=["JSON Patch", "FHIRPath Patch"],
)
def test_a_damaged_patch_is_refused_or_applied_whole(line: Line, media: str, valid: Any) -> None:
    @tried(40)
    @given(bodies(valid))
    def damage(body: bytes) -> None:
        before = versions(line)

        reply = line.send("PATCH", target, body, [("Content-Type", media)])

        kept(line, before, reply)

    made = line.send("POST", "/Patient", fresh(json.dumps(patient()).encode()), [SENT_JSON])
    target = f"/Patient/{made.id}"
    damage()


POINTERS = [
    *(
        "/name",
        "/name/0",
        "/name/-",
        "/name/0/given/0",
        "/name/0/given/-",
        "/telecom/0/value",
        "/birthDate",
        "/_birthDate",
    ),
    *(
        "/meta",
        "/meta/tag/0",
        "/id",
        "/resourceType",
        "/contained/0/id",
        "/text/div",
        "/active",
        "/maritalStatus",
        "/name/9",
    ),
    *(
        "",
        "/",
        "//",
        "/~1",
        "/~2",
        "/name/00",
        "/name/-1",
        "/name/1e0",
        "/name/٣",
        "name",
        "/name/0/family/x",
        "/é",
        "/identifier",
    ),
]
PATHS = [
    *(
        "Patient",
        "Patient.name",
        "Patient.name[0]",
        "Patient.name[0].given",
        "Patient.name[0].given[1]",
        "Patient.birthDate",
    ),
    *(
        "Patient.name.where(use='official')",
        "Patient.telecom.where(system = 'phone').first().value",
        "Patient.meta.tag",
    ),
    *(
        "Patient.contained[0]",
        "Patient.id",
        "Patient.text.div",
        "Patient.name.given",
        "Patient.name.last().family",
        "name[0]",
    ),
    *(
        "",
        "Patient.",
        "Patient.name[-1]",
        "Patient.name[99]",
        "Practitioner.name",
        "Patient.name | Patient.telecom",
        "%resource",
    ),
    *(
        "Patient.name.where(true)",
        "Patient.extension('urn:a')",
        "Patient.descendants()",
        "Patient.name.where(family='É')",
        "1",
    ),
]
POINTED = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.sampled_from(POINTERS),
        "value": ANY,
        "from": st.sampled_from(POINTERS),
    }
)


@st.composite
def walked(draw: st.DrawFn) -> dict[str, Any]:
    """An operation of a FHIRPath Patch."""
    parts: list[dict[str, Any]] = [
        {"name": "type", "valueCode": draw(st.sampled_from(["add", "insert", "delete", "replace", "move"]))},
        {"name": "path", "valueString": draw(st.sampled_from(PATHS))},
        {
            "name": "name",
            "valueString": draw(
                st.sampled_from(["active", "given", "telecom", "name", "id", "x", "multipleBirth"])
            ),
        },
        {"name": "index", "valueInteger": draw(st.sampled_from([0, 1, 2, -1, 99]))},
        {"name": "source", "valueInteger": draw(st.sampled_from([0, 1, 9]))},
        {"name": "destination", "valueInteger": draw(st.sampled_from([0, 1, 9]))},
    ]
    held = draw(st.sampled_from(["String", "Boolean", "HumanName", "ContactPoint", "Code", "Integer"]))
    values = [True, 3, GIVEN, {"family": FAMILY}, {"system": "phone", "value": "1"}]
    parts.append({"name": "value", f"value{held}": draw(st.sampled_from(values))})
    kept = draw(st.lists(st.sampled_from(parts[2:]), unique_by=lambda part: part["name"]))
    return {"name": "operation", "part": [*parts[:2], *kept]}


@pytest.mark.parametrize("media", ["application/json-patch+json", "application/fhir+json"])
def test_operations_of_a_patch_apply_together_or_not_at_all(line: Line, media: str) -> None:
    asked = POINTED if "patch" in media else walked()

    @tried(40)
    @given(st.lists(asked, min_size=1, max_size=3))
    def change(operations: list[Any]) -> None:
        body: Any = operations
        if "patch" not in media:
            body = {"resourceType": "Parameters", "parameter": operations}
        made = line.send("POST", "/Patient", fresh(json.dumps(patient()).encode()), [SENT_JSON])
        before = versions(line)

        reply = line.send("PATCH", f"/Patient/{made.id}", written(body).encode(), [("Content-Type", media)])

        kept(line, before, reply)
        if reply.status >= 400:
            assert line.send("GET", f"/Patient/{made.id}").body == made.body

    change()
