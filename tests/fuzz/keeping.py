"""What a write leaves: nothing when it was refused, something readable in every form when it was not."""

from __future__ import annotations

from tests.client import Reply
from tests.fuzz.sending import Line

SENT_JSON = ("Content-Type", "application/fhir+json")
SENT_XML = ("Content-Type", "application/fhir+xml")
AS_JSON = ("Accept", "application/fhir+json")
AS_XML = ("Accept", "application/fhir+xml")


def versions(line: Line) -> int:
    """How many versions of resources the server holds."""
    total = line.send("GET", "/_history?_count=1").json["total"]
    assert isinstance(total, int)
    return total


def kept(line: Line, before: int, reply: Reply, most: int = 1) -> None:
    """A refusal wrote nothing; a success wrote what it says, which can be read in every form."""
    wrote = versions(line) - before
    assert wrote == 0 if reply.status >= 400 else 0 <= wrote <= most, (reply.status, wrote)
    if "location" in reply.headers and reply.status < 400:
        at = reply.headers["location"].partition("/fhir")[2].partition("/_history")[0]
        read_in_every_form(line, at)


def read_in_every_form(line: Line, at: str) -> None:
    """The resource at an address, in both formats, summed up, found by a search, and what is computed from it."""
    type, _, id = at.strip("/").partition("/")
    assert line.send("GET", at, headers=[AS_JSON]).status == 200
    assert line.send("GET", at, headers=[AS_XML]).status == 200
    assert line.send("GET", at + "?_summary=true&_pretty=true", headers=[AS_JSON]).status == 200
    if type != "Binary":
        found = line.send("GET", f"/{type}?_id={id}&_elements=extension,identifier", headers=[AS_XML])
        assert found.status == 200
    if type == "Schedule":
        assert line.send("GET", f"/Slot?schedule={id}&_count=20").status in (200, 422)
