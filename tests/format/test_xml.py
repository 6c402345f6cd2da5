"""XML: nothing is lost either way, order is that of the specification, hostile documents are refused (SEC-22)."""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from creneau.fhir import json, xml
from creneau.fhir.xml.reading import parser
from creneau.problems import Malformed
from tests.format.made import official_examples, resources

NS = 'xmlns="http://hl7.org/fhir"'
DIV = 'xmlns="http://www.w3.org/1999/xhtml"'


def refused(text: str | bytes) -> tuple[str, str]:
    with pytest.raises(Malformed) as caught:
        xml.decode(text if isinstance(text, bytes) else text.encode())
    return caught.value.issues[0].why.key, caught.value.issues[0].at


def patient(inside: str) -> bytes:
    return f"<Patient {NS}>{inside}</Patient>".encode()


def comparable(value: Any) -> Any:
    """What must be equal after a round trip: digits of numbers too; narratives by their content, not by how it is spelled."""
    if isinstance(value, dict):
        return {
            key: etree.tostring(etree.fromstring(item), method="c14n") if key == "div" else comparable(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return type(value).__name__, str(value)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@settings(max_examples=60)
@given(resources(levels=3))
def test_a_resource_comes_back_from_xml_as_it_went(resource: dict[str, Any]) -> None:
    again = xml.decode(xml.encode(resource))

    assert comparable(again) == comparable(resource)


@settings(max_examples=40)
@given(resources(levels=3), st.randoms(use_true_random=False))
def test_the_order_in_xml_is_that_of_the_tables_whatever_that_of_the_json(
    resource: dict[str, Any], chance: random.Random
) -> None:
    assert xml.encode(shuffled(resource, chance)) == xml.encode(resource)


@given(resources())
def test_a_pretty_document_says_the_same_an_element_a_line(resource: dict[str, Any]) -> None:
    pretty = xml.encode_pretty(resource)

    assert xml.decode(pretty) == xml.decode(xml.encode(resource))
    assert pretty.count(b"\n") >= len(resource) - 1


def test_a_pretty_document_leaves_the_narrative_alone() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>un <b>deux</b> <i>trois</i></p></div>'
    patient = {"resourceType": "Patient", "text": {"status": "generated", "div": div}, "active": True}

    assert xml.encode_pretty(patient).decode().splitlines()[1:] == [
        '<Patient xmlns="http://hl7.org/fhir">',
        "  <text>",
        '    <status value="generated"/>',
        f"    {div}",
        "  </text>",
        '  <active value="true"/>',
        "</Patient>",
    ]


def test_the_official_examples_come_back_from_xml_as_they_went() -> None:
    for path in official_examples():
        resource = json.decode(path.read_bytes(), max_nodes=10**6)
        again = xml.decode(xml.encode(resource), max_nodes=10**6)

        assert comparable(again) == comparable(resource), path.name


def test_a_document_has_the_form_that_the_specification_shows() -> None:
    resource = {
        "status": "booked",
        "_start": {"id": "s", "extension": [{"valueDecimal": Decimal("1.00"), "url": "http://x?a&b"}]},
        "start": "2026-11-24T09:15:00Z",
        "participant": [{"status": "accepted", "id": "p1", "actor": {"reference": "#d"}}],
        "contained": [{"resourceType": "Device", "id": "d"}],
        "comment": 'à "dix"\nheures <ou plus>',
        "resourceType": "Appointment",
        "minutesDuration": 15,
    }

    assert xml.encode(resource).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Appointment {NS}><contained><Device><id value="d"/></Device></contained><status value="booked"/>'
        '<start id="s" value="2026-11-24T09:15:00Z"><extension url="http://x?a&amp;b"><valueDecimal value="1.00"/></extension></start>'
        '<minutesDuration value="15"/><comment value="à &quot;dix&quot;&#10;heures &lt;ou plus&gt;"/>'
        '<participant id="p1"><actor><reference value="#d"/></actor><status value="accepted"/></participant></Appointment>'
    )


def test_values_become_the_json_types_of_their_elements() -> None:
    parts = "".join(
        f'<parameter><name value="n"/><value{kind} value="{text}"/></parameter>'
        for kind, text in [("Boolean", "true"), ("Boolean", "1"), ("Integer", "-7"), ("Integer", "+7"), ("Decimal", "1.00"),
                           ("Decimal", "5"), ("Decimal", ".5"), ("Decimal", "1e999999999"), ("String", "5"), ("UnsignedInt", "007")]
    )  # fmt: skip
    found = xml.decode(f"<Parameters {NS}>{parts}</Parameters>".encode())
    values = [next(value for key, value in one.items() if key != "name") for one in found["parameter"]]

    assert values == [True, "1", -7, "+7", Decimal("1.00"), 5, ".5", "1e999999999", "5", "007"]
    assert [type(value) for value in values[4:6]] == [Decimal, int]
    assert str(values[4]) == "1.00"


def test_holes_keep_values_and_extensions_in_step() -> None:
    given_names = '<given value="a"/><given id="x"/><given id="y" value="c"/>'

    assert xml.decode(patient(f"<name>{given_names}</name>"))["name"] == [
        {"given": ["a", None, "c"], "_given": [None, {"id": "x"}, {"id": "y"}]}
    ]


def test_comments_instructions_and_schema_locations_are_ignored() -> None:
    document = (
        f'<?xml version="1.0" encoding="utf-8"?><?style x?><!-- a --><Patient {NS} '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir fhir.xsd">'
        '<!-- b --><?pi?>\n  <gender value="female"/>\n</Patient>'
    )

    assert xml.decode(document.encode()) == {"resourceType": "Patient", "gender": "female"}
    assert xml.decode(b"\xef\xbb\xbf" + patient("")) == {"resourceType": "Patient"}


@pytest.mark.parametrize("inside", [
    f'<text><status value="generated"/><div {DIV}><p>a <b>c</b></p></div></text>',
    '<text xmlns:h="http://www.w3.org/1999/xhtml"><status value="generated"/><h:div><h:p>a <h:b>c</h:b></h:p></h:div></text>',
])  # fmt: skip
def test_a_narrative_is_kept_in_the_default_namespace(inside: str) -> None:
    assert xml.decode(patient(inside))["text"]["div"] == f"<div {DIV}><p>a <b>c</b></p></div>"


@pytest.mark.parametrize(
    "div",
    [
        "<div>",
        "a & b",
        f"<div {DIV}>&nbsp;</div>",
        "</text><gender/>",
        '<?xml version="1.0"?><div/>',
        "",
        "<!DOCTYPE div><div/>",
    ],
)
def test_a_narrative_that_is_not_well_formed_cannot_break_the_document(div: str) -> None:
    written = xml.encode({"resourceType": "Patient", "text": {"status": "generated", "div": div}})

    assert xml.decode(written)["text"]["status"] == "generated"
    assert etree.fromstring(xml.decode(written)["text"]["div"]).text in (div, None)


def test_characters_that_xml_cannot_hold_do_not_break_the_document() -> None:
    written = xml.encode({"resourceType": "Patient", "language": "a\x01b\ufffec\ud800d"})

    assert xml.decode(written)["language"] == "a\ufffdb\ufffdc\ufffdd"


@pytest.mark.parametrize(
    ("inside", "key", "at"),
    [
        ("<nom/>", "xml-unknown-element", "Patient.nom"),
        ('<x:gender xmlns:x="urn:other" value="female"/>', "xml-unknown-element", "Patient.gender"),
        ("<div/>", "xml-unknown-element", "Patient.div"),
        ("<Dupont.Jean/>", "xml-unknown-element", "Patient.?"),
        ("<name><given value='a'/></name><name><prenom value='b'/></name>", "xml-unknown-element", "Patient.name[1].prenom"),
        ('<gender value="female" lang="fr"/>', "xml-attribute", "Patient.gender.lang"),
        ('<name value="x"/>', "xml-attribute", "Patient.name[0].value"),
        ('<name url="x"/>', "xml-attribute", "Patient.name[0].url"),
        ('<contained id="x"><Device/></contained>', "xml-attribute", "Patient.contained[0].id"),
        ("Dupont", "xml-text", "Patient"),
        ("<gender value='female'>Dupont</gender>", "xml-text", "Patient.gender"),
        ("<gender value='female'/>Dupont", "xml-text", "Patient"),
        ("<gender value='female'/><gender value='male'/>", "xml-repeated", "Patient.gender"),
        ("<maritalStatus><text value='a'/></maritalStatus><maritalStatus><text value='a'/></maritalStatus>", "xml-repeated", "Patient.maritalStatus"),
        ("<gender/>", "xml-empty", "Patient.gender"),
        ("<name/>", "xml-empty", "Patient.name[0]"),
        ("<contained/>", "xml-resource", "Patient.contained[0]"),
        ("<contained><Device/><Device/></contained>", "xml-resource", "Patient.contained[0]"),
        ("<contained><Truc/></contained>", "xml-resource", "Patient.contained[0]"),
    ],
)  # fmt: skip
def test_what_r4_does_not_have_is_refused_with_its_path(inside: str, key: str, at: str) -> None:
    assert refused(patient(inside)) == (key, at)


@pytest.mark.parametrize(
    "root",
    [
        "<Patient/>",
        f"<Rendezvous {NS}/>",
        '<Patient xmlns="urn:x"/>',
        f"<name {NS}/>",
        f"<DomainResource {NS}/>",
    ],
)
def test_the_root_is_a_resource_in_the_namespace_of_fhir(root: str) -> None:
    assert refused(root)[0] == "xml-resource"


def test_writing_a_key_that_r4_does_not_have_is_refused_with_its_path() -> None:
    with pytest.raises(Malformed) as caught:
        xml.encode({"resourceType": "Patient", "contact": [{"gender": "male"}, {"nom": "x"}]})

    assert caught.value.issues[0].at == "Patient.contact[1].nom"


BOMB = (
    '<!DOCTYPE p [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
    + f']><Patient {NS}><gender value="&k;"/></Patient>'
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        f'<!DOCTYPE p [<!ENTITY x "female">]><Patient {NS}><gender value="&x;"/></Patient>',
        f'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient {NS}>&x;</Patient>',
        f'<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd"><Patient {NS}/>',
        f'<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]><Patient {NS}/>',
        f"<!DOCTYPE Patient><Patient {NS}/>",
        f"\n<!DOCTYPE\nPatient><Patient {NS}/>",
    ],
)
def test_a_document_type_is_refused_whatever_it_holds(document: str) -> None:
    assert refused(document)[0] in ("xml-doctype", "xml-syntax")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"])
def test_other_encodings_than_utf_8_are_refused(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?><Patient {NS}/>'

    assert refused(declared.encode(encoding)) == ("xml-encoding", "")
    assert refused(f"<Patient {NS}/>".encode(encoding))[0] in ("xml-encoding", "xml-syntax")


@pytest.mark.parametrize("name", ["ISO-8859-1", "UTF-7", "utf-16", "us-ascii", "windows-1252"])
def test_a_declaration_of_another_encoding_is_refused(name: str) -> None:
    assert refused(f"<?xml version='1.0' encoding='{name}' standalone='yes'?><Patient {NS}/>") == (
        "xml-encoding",
        "",
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<",
        b"{}",
        b"<Patient",
        patient("&x;"),
        patient("&#0;"),
        patient("<gender value='&nbsp;'/>"),
    ],
)
def test_what_is_not_well_formed_is_refused(raw: bytes) -> None:
    assert refused(raw)[0] == "xml-syntax"


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    assert (
        refused(b'<Patient xmlns="http://hl7.org/fhir"><gender value="\xe9"/></Patient>')[0] == "xml-syntax"
    )


def nested(levels: int) -> bytes:
    return patient("<extension url='a'>" * levels + "<valueString value='x'/>" + "</extension>" * levels)


def test_nesting_goes_as_deep_as_json_allows_and_no_deeper() -> None:
    assert json.decode(json.encode(xml.decode(nested(31))))
    assert refused(nested(32))[0] == "xml-depth"
    assert refused(b"<a>" * 100_000)[0] in ("xml-syntax", "xml-nodes")


def test_elements_are_counted() -> None:
    assert refused(patient("<name><text value='a'/></name>" * 25_001)) == ("xml-nodes", "")


def test_the_parser_itself_reads_no_file_and_opens_no_connection(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd"
        for document in (
            f'<!DOCTYPE p [<!ENTITY x SYSTEM "{secret.as_uri()}">]><p>&x;</p>',
            f'<!DOCTYPE p SYSTEM "{url}"><p/>',
            f'<!DOCTYPE p [<!ENTITY % x SYSTEM "{url}"> %x;]><p/>',
            f'<p xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret.as_uri()}" parse="text"/></p>',
        ):
            with suppress(etree.XMLSyntaxError):
                assert "secret</p>" not in etree.tostring(
                    etree.fromstring(document, parser()), encoding="unicode"
                )

        with pytest.raises(BlockingIOError):
            server.accept()


def test_hostile_documents_take_no_second() -> None:
    began = time.process_time()
    for document in (
        BOMB.encode(),
        patient("<gender value='" + "&#65;" * 200_000 + "'/>"),
        nested(200),
        b"<" * 1_000_000,
    ):
        with suppress(Malformed):
            xml.decode(document)

    assert time.process_time() - began < 1


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | st.text(max_size=40).map(patient))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        xml.decode(raw)
    except Malformed as problem:
        assert all(issue.text("fr") and issue.text("en") for issue in problem.issues)
