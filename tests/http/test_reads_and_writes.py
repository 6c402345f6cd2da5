"""Status, headers and body of reads and writes (contract, "Answers to writes")."""

from __future__ import annotations

import json

import pytest

from tests.http.running import Running

PATIENT = {"resourceType": "Patient", "name": [{"family": "Martin"}]}


def test_a_creation_says_where_the_resource_is_and_its_version(front: Running) -> None:
    reply = front.post("/fhir/Patient", PATIENT)

    assert reply.status == 201
    assert reply.headers["location"] == f"{front.base}/Patient/{reply.json['id']}/_history/1"
    assert reply.headers["etag"] == 'W/"1"'
    assert reply.headers["last-modified"].endswith("GMT")
    assert reply.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert "content-location" not in reply.headers


def test_an_update_says_200_with_location_and_content_location(front: Running) -> None:
    id = front.patient()

    reply = front.put(f"/fhir/Patient/{id}", {**PATIENT, "id": id, "active": True})

    assert reply.status == 200
    assert reply.headers["location"] == reply.headers["content-location"]
    assert reply.headers["location"] == f"{front.base}/Patient/{id}/_history/2"


def test_what_is_read_is_what_was_answered_byte_for_byte(front: Running) -> None:
    created = front.post("/fhir/Patient", PATIENT)

    read = front.get(f"/fhir/Patient/{created.json['id']}")

    assert read.status == 200
    assert read.body == created.body
    assert read.headers["etag"] == created.headers["etag"]


@pytest.mark.parametrize(
    ("prefer", "body"),
    [
        ("return=minimal", ""),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
    ],
)
def test_prefer_chooses_the_body_of_a_write(front: Running, prefer: str, body: str) -> None:
    reply = front.post("/fhir/Patient", PATIENT, Prefer=f"handling=lenient; {prefer}")

    assert reply.status == 201
    assert (json.loads(reply.body)["resourceType"] if reply.body else "") == body


def test_a_deletion_says_so_in_an_outcome_and_again_when_done_before(front: Running) -> None:
    id = front.patient()

    first, again = (front.call("DELETE", f"/fhir/Patient/{id}") for _ in range(2))

    assert (first.status, first.keys) == (200, ["deletion-done"])
    assert (again.status, again.keys) == (200, ["deletion-done"])
    assert front.get(f"/fhir/Patient/{id}").status == 410


def test_a_deletion_with_return_minimal_is_204_without_body(front: Running) -> None:
    id = front.patient()

    reply = front.call("DELETE", f"/fhir/Patient/{id}", headers={"Prefer": "return=minimal"})

    assert (reply.status, reply.body) == (204, b"")
    assert "content-length" not in reply.headers


def test_head_is_get_without_the_body(front: Running) -> None:
    id = front.patient()
    get = front.get(f"/fhir/Patient/{id}")

    head = front.call("HEAD", f"/fhir/Patient/{id}")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("tag", ['W/"1"', '"1"', 'W/"7", W/"1"', "*"])
def test_if_none_match_with_the_current_version_is_304(front: Running, tag: str) -> None:
    id = front.patient()

    reply = front.get(f"/fhir/Patient/{id}", If_None_Match=tag)

    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["etag"] == 'W/"1"'


def test_if_none_match_with_another_version_gives_the_resource(front: Running) -> None:
    id = front.patient()

    assert front.get(f"/fhir/Patient/{id}", If_None_Match='W/"2"').status == 200


def test_if_modified_since_is_obeyed_when_it_is_a_date_and_ignored_when_not(front: Running) -> None:
    id = front.patient()
    moment = front.get(f"/fhir/Patient/{id}").headers["last-modified"]

    same = front.get(f"/fhir/Patient/{id}", If_Modified_Since=moment)
    older = front.get(f"/fhir/Patient/{id}", If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")
    junk = front.get(f"/fhir/Patient/{id}", If_Modified_Since="yesterday")

    assert [same.status, older.status, junk.status] == [304, 200, 200]


@pytest.mark.parametrize(
    ("tag", "status"),
    [('W/"1"', 200), ('"1"', 200), ("*", 200), ('W/"4", W/"1"', 200), ('W/"2"', 412), ('W/"abc"', 412)],
)
def test_if_match_guards_an_update(front: Running, tag: str, status: int) -> None:
    id = front.patient()

    reply = front.put(f"/fhir/Patient/{id}", {**PATIENT, "id": id, "active": True}, If_Match=tag)

    assert reply.status == status


@pytest.mark.parametrize("tag", ["W/3x", '"1', "", "abc", '"1" "2"'])
def test_a_malformed_if_match_is_400(front: Running, tag: str) -> None:
    id = front.patient()

    reply = front.put(f"/fhir/Patient/{id}", {**PATIENT, "id": id}, If_Match=tag)

    assert (reply.status, reply.keys) == (400, ["if-match-malformed"])


def test_each_version_stays_readable_and_history_lists_them_newest_first(front: Running) -> None:
    id = front.patient()
    front.put(f"/fhir/Patient/{id}", {**PATIENT, "id": id, "active": True})
    front.call("DELETE", f"/fhir/Patient/{id}")

    first = front.get(f"/fhir/Patient/{id}/_history/1")
    history = front.get(f"/fhir/Patient/{id}/_history")

    assert (first.status, first.headers["etag"]) == (200, 'W/"1"')
    assert history.json["type"] == "history"
    assert history.json["total"] == 3
    assert [entry["request"]["method"] for entry in history.json["entry"]] == ["DELETE", "PUT", "POST"]
    assert [entry["response"]["etag"] for entry in history.json["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert ["resource" in entry for entry in history.json["entry"]] == [False, True, True]


def test_history_pages_follow_one_another(front: Running) -> None:
    id = front.patient()
    for count in range(4):
        front.put(f"/fhir/Patient/{id}", {**PATIENT, "id": id, "multipleBirthInteger": count})

    seen, path = [], f"/fhir/Patient/{id}/_history?_count=2"
    while path:
        page = front.get(path).json
        seen += [entry["response"]["etag"] for entry in page["entry"]]
        next = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = next[0].removeprefix(front.base.removesuffix("/fhir")) if next else ""

    assert seen == [f'W/"{version}"' for version in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("version", ["0", "99", "abc", "-1", "1" * 40, "१"])
def test_a_version_that_is_not_there_is_404(front: Running, version: str) -> None:
    from urllib.parse import quote

    id = front.patient()

    assert front.get(f"/fhir/Patient/{id}/_history/{quote(version)}").status == 404


def test_every_answer_forbids_caches_and_sniffing_and_names_no_software(front: Running) -> None:
    for path in ("/fhir/Patient/none", "/fhir/metadata", "/", "/metrics", "/nowhere", "/health/live"):
        reply = front.get(path)

        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "server" not in reply.headers
        assert reply.headers["x-request-id"]
        assert reply.headers["date"]


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_Z", True), ("a" * 65, False), ("a b", False), ("é", False)]
)
def test_a_sane_request_id_comes_back_and_another_is_replaced(front: Running, given: str, kept: bool) -> None:
    reply = front.get("/fhir/Patient/none", X_Request_Id=given)

    assert (reply.headers["x-request-id"] == given) is kept


def test_a_batch_answers_entry_by_entry_in_order(front: Running) -> None:
    id = front.patient()
    entries = [
        {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": f"Patient/{id}"}},
        {"request": {"method": "GET", "url": "Patient/none"}},
    ]

    reply = front.post("/fhir", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    assert (reply.status, reply.json["type"]) == (200, "batch-response")
    created, read, missing = reply.json["entry"]
    assert created["response"]["status"] == "201 Created"
    assert created["response"]["location"].endswith("/_history/1")
    assert created["resource"]["resourceType"] == "Patient"
    assert (read["response"]["status"], read["response"]["etag"], read["resource"]["id"]) == (
        "200 OK",
        'W/"1"',
        id,
    )
    assert missing["response"]["status"] == "404 Not Found"
    assert missing["response"]["outcome"]["issue"][0]["code"] == "not-found"


def test_what_is_not_a_bundle_is_refused_at_the_base(front: Running) -> None:
    assert front.post("/fhir", PATIENT).status == 400


def test_validate_answers_200_with_what_it_found(front: Running) -> None:
    bare = front.post("/fhir/Patient/$validate", PATIENT)
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": PATIENT}]}
    wrapped = front.post("/fhir/Patient/%24validate", parameters, Accept_Language="en")

    assert (bare.status, bare.json["issue"][0]["details"]["text"]) == (200, "Aucune anomalie.")
    assert (wrapped.status, wrapped.json["issue"][0]["details"]["text"]) == (200, "All OK.")
    assert wrapped.headers["content-language"] == "en"


def test_a_patch_of_another_media_type_is_415(front: Running) -> None:
    id = front.patient()

    reply = front.call(
        "PATCH", f"/fhir/Patient/{id}", b"<diff/>", {"Content-Type": "application/xml-patch+xml"}
    )

    assert (reply.status, reply.keys) == (415, ["media-type-not-supported"])


def test_a_json_patch_changes_the_resource(front: Running) -> None:
    id = front.patient(active=True)
    steps = b'[{"op":"replace","path":"/active","value":false}]'

    reply = front.call("PATCH", f"/fhir/Patient/{id}", steps, {"Content-Type": "application/json-patch+json"})

    assert (reply.status, reply.json["active"]) == (200, False)
    assert reply.headers["etag"] == 'W/"2"'


def test_binary_content_travels_raw_both_ways_and_as_a_resource_when_asked(front: Running) -> None:
    content = b"%PDF-1.7 \x00\xff"
    created = front.call("POST", "/fhir/Binary", content, {"Content-Type": "application/pdf"})
    path = f"/fhir/Binary/{created.json['id']}"

    raw, resource = front.get(path), front.get(path, Accept="application/fhir+json")

    assert (created.status, created.json["contentType"]) == (201, "application/pdf")
    assert (raw.body, raw.headers["content-type"]) == (content, "application/pdf")
    assert raw.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert raw.headers["content-disposition"] == "attachment"
    assert resource.json["resourceType"] == "Binary"
