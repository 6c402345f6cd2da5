"""What a query string means, and what is refused. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.fhir import instant
from creneau.problems import Malformed
from creneau.search import cursor, grammar
from creneau.search.controls import CONTROLS
from creneau.search.criteria import MODIFIERS
from creneau.search.cursor import Position
from creneau.search.parameters import TYPES, parameter, parameters
from creneau.search.query import (
    AnyOf,
    Chain,
    DateValue,
    Has,
    Ids,
    LastUpdated,
    LinkValue,
    NearValue,
    Not,
    Term,
    TextValue,
    TokenValue,
)
from tests.search.reading import BASES, PARIS, condition, only, read


def values(type: str, text: str) -> tuple[object, ...]:
    found = only(type, text)
    assert isinstance(found, Term)
    return found.values


def refused(type: str, text: str, *, strict: bool = False) -> list[str]:
    with pytest.raises(Malformed) as caught:
        read(type, text, strict=strict)
    return [issue.why.key for issue in caught.value.issues]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("identifier=1", TokenValue(None, "1")),
        ("identifier=urn:a|1", TokenValue("urn:a", "1")),
        ("identifier=urn:a%7C1", TokenValue("urn:a", "1")),
        ("identifier=|1", TokenValue("", "1")),
        ("identifier=urn:a|", TokenValue("urn:a", None)),
        ("identifier=urn:a|1|2", TokenValue("urn:a", "1|2")),
        (r"identifier=a\|b", TokenValue(None, "a|b")),
        (r"identifier=a\,b", TokenValue(None, "a,b")),
        (r"identifier=a\\|b", TokenValue("a\\", "b")),
        (r"identifier=a\$b\c", TokenValue(None, "a$b\\c")),
    ],
)
def test_a_token_has_a_code_a_system_both_or_escapes(text: str, value: TokenValue) -> None:
    assert values("Patient", text) == (value,)


def test_the_system_of_a_code_element_is_implied_and_may_be_written() -> None:
    assert values("Appointment", "status=http://hl7.org/fhir/appointmentstatus|booked") == (
        TokenValue("", "booked"),
    )


def test_a_space_after_a_comma_and_empty_values_count_for_nothing() -> None:
    wanted = (TokenValue("", "booked"), TokenValue("", "proposed"))

    assert values("Appointment", "status=booked,%20proposed") == wanted
    assert values("Appointment", "status=,booked,,proposed,") == wanted


@pytest.mark.parametrize(
    "written", ["10:00:00+01:00", "10:00:00%2B01:00", "10:00:00%2b01:00", "10:00:00 01:00"]
)
def test_a_plus_in_a_date_is_the_sign_of_the_zone(written: str) -> None:
    (value,) = values("Slot", f"start=ge2026-01-31T{written}")

    lo = instant.instant("2026-01-31T10:00:00+01:00")
    assert value == DateValue("ge", lo, lo + 1_000_000)


def test_a_plus_elsewhere_is_a_space() -> None:
    assert values("Patient", "family=de+la+Tour") == (TextValue("de la tour", "de la Tour"),)


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
def test_a_date_without_zone_is_civil_time_here(prefix: str) -> None:
    (value,) = values("Appointment", f"date={prefix}2026-03-29")

    lo, hi = instant.parse("2026-03-29", PARIS)
    assert hi - lo == 23 * 3_600_000_000
    assert value == DateValue(prefix, lo, hi)


def test_about_a_date_is_its_length_on_either_side() -> None:
    (value,) = values("Appointment", "date=ap2026-01-02T00:00:00Z")

    lo = instant.instant("2026-01-02T00:00:00Z")
    assert value == DateValue("ap", lo - 1_000_000, lo + 2_000_000)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("actor=Patient/1", LinkValue("Patient", "1")),
        ("actor=1", LinkValue(None, "1")),
        ("patient=1", LinkValue("Patient", "1")),
        ("actor:Patient=1", LinkValue("Patient", "1")),
        ("actor:Patient=Patient/1", LinkValue("Patient", "1")),
        ("actor=https://agendas.example/fhir/Patient/1", LinkValue("Patient", "1")),
        (
            "actor=https://other.example/fhir/Patient/1",
            TokenValue("", "https://other.example/fhir/Patient/1"),
        ),
        ("actor:identifier=urn:a|1", TokenValue("urn:a", "1")),
    ],
)
def test_a_reference_is_an_id_a_path_a_url_or_an_identifier(text: str, value: object) -> None:
    assert values("Appointment", text) == (value,)


@pytest.mark.parametrize(
    ("text", "kilometres"),
    [
        ("48.85|2.35", 10.0),
        ("48.85|2.35||", 10.0),
        ("48.85|2.35|5", 5.0),
        ("48.85|2.35|500|m", 0.5),
        ("48.85|2.35|1|mi", 1.609344),
    ],
)
def test_near_is_a_circle(text: str, kilometres: float) -> None:
    assert values("Location", f"near={text}") == (NearValue(48.85, 2.35, kilometres),)


@pytest.mark.parametrize(
    "text", ["+33 1 23 45 67 89", "%2B33123456789", "0033123456789", "01.23.45.67.89", "01 23 45 67 89"]
)
def test_a_telephone_number_is_found_however_it_is_written(text: str) -> None:
    assert values("Patient", f"telecom={text}") == (TokenValue(None, "0123456789"),)


def test_the_answer_is_shaped_by_what_is_asked() -> None:
    query = read("Patient", "_total=none&_summary=true&_elements=name,%20birthDate")

    assert (query.total, query.summary, query.elements) == ("none", "true", ("name", "birthDate"))
    assert read("Patient", "_summary=false").summary is None
    assert read("Patient", "").total == "accurate"


def test_the_text_of_a_code_is_folded() -> None:
    found = only("Appointment", "service-type:text=Médecine")

    assert isinstance(found, Term)
    assert (found.modifier, found.values) == ("text", (TextValue("medecine", "Médecine"),))


def test_the_end_of_an_escape_is_kept() -> None:
    assert values("Patient", "family=a\\,,b\\") == (TextValue("a", "a,"), TextValue("b\\", "b\\"))


def test_modifiers_are_kept() -> None:
    for text, modifier in (
        ("family:exact=É", "exact"),
        ("family:contains=é", "contains"),
        ("family:missing=true", "missing"),
    ):
        found = only("Patient", text)
        assert isinstance(found, Term)
        assert found.modifier == modifier


def test_a_chain_leads_through_links_typed_or_not() -> None:
    found = only("Slot", "schedule.actor:PractitionerRole.location.address-city=Paris")

    match found:
        case Chain(
            target="Schedule",
            inner=Chain(target="PractitionerRole", inner=Chain(target="Location", inner=Term() as term)),
        ):
            assert term.parameter is parameter("Location", "address-city")
        case _:
            pytest.fail(f"{found}")


def test_a_chain_without_type_leads_to_every_type_that_has_the_parameter() -> None:
    found = only("Appointment", "actor.family=Martin")

    assert isinstance(found, AnyOf)
    assert [one.target for one in found.conditions if isinstance(one, Chain)] == ["Patient", "Practitioner"]


def test_has_is_read_nested_and_with_chains() -> None:
    found = only(
        "Patient",
        "_has:Appointment:patient:_has:AppointmentResponse:appointment:actor:Practitioner.family=Roux",
    )

    match found:
        case Has(
            source="Appointment",
            inner=Has(source="AppointmentResponse", inner=Chain(target="Practitioner", inner=Term())),
        ):
            pass
        case _:
            pytest.fail(f"{found}")


def test_ids_and_updates_are_conditions_of_their_own() -> None:
    lo = instant.instant("2026-01-01T00:00:00Z")

    assert only("Patient", "_id=a,b") == Ids(("a", "b"))
    assert only("Patient", "_id:not=a") == Not(Ids(("a",)))
    assert only("Patient", "_lastUpdated=gt2026-01-01T00:00:00Z") == LastUpdated(
        (DateValue("gt", lo, lo + 1_000_000),)
    )


def test_role_and_specialty_look_into_the_qualifications_of_the_practitioner() -> None:
    """C-40."""
    found = only("PractitionerRole", "specialty=SM54")

    match found:
        case AnyOf((Term() as own, Chain(target="Practitioner", inner=Term() as there))):
            assert (own.parameter.code, there.parameter.code) == ("specialty", "qualification-code")
        case _:
            pytest.fail(f"{found}")
    assert isinstance(only("PractitionerRole", "specialty:not=SM54"), Not)
    assert isinstance(only("PractitionerRole", "address:missing=true"), Not)


@pytest.mark.parametrize(
    ("type", "alias", "same"),
    [
        ("Slot", "GAP_Slot_earliestStart=2026-01-01", "start=ge2026-01-01"),
        ("Slot", "GAP_Slot_latestStart=2026-01-01,lt2027", "start=le2026-01-01,lt2027"),
        ("Slot", "GAP_Schedule_Actor=Patient/1", "schedule.actor=Patient/1"),
        ("Slot", "Schedule-actor:Patient.family=a", "schedule.actor:Patient.family=a"),
        ("Appointment", "GAP_Appointment_earliestStart=gt2026", "date=gt2026"),
        ("Appointment", "GAP_Appointment_Actor:Patient.identifier=a|b", "actor:Patient.identifier=a|b"),
        ("Appointment", "GAP_Appointment_description:contains=a", "description:contains=a"),
        ("Appointment", "start=2026", "date=2026"),
        ("Patient", "phonetic=a", "name=a"),
    ],
)
def test_aliases_and_synonyms_are_the_parameter_itself(type: str, alias: str, same: str) -> None:
    """C-30, C-31, C-33."""
    assert only(type, alias) == only(type, same)


def test_self_shows_what_was_understood_under_its_own_name() -> None:
    query = read("Slot", "GAP_Slot_earliestStart=2026-01-01&foo=1&_count=5&status=free&_format=json")

    assert query.understood == (("start", "ge2026-01-01"), ("_count", "5"), ("status", "free"))
    assert query.ignored == ("foo",)


@pytest.mark.parametrize(
    "name",
    [
        "foo",
        "patient.foo",
        "actor:Foo.identifier",
        "_has:Foo:patient:x",
        "_has:Schedule:actor",
        "status.x",
        "_text",
    ],
)
def test_an_unknown_name_is_left_out_and_named_or_refused_when_strict(name: str) -> None:
    assert read("Appointment", f"{name}=1").ignored == (name,)
    assert refused("Appointment", f"{name}=1", strict=True) == ["search-parameter-unknown"]


@pytest.mark.parametrize("text", ["_sort=foo", "_include=Foo:bar", "_revinclude=Appointment:status"])
def test_what_a_control_names_is_left_out_or_refused_when_strict(text: str) -> None:
    assert read("Appointment", text).ignored == (text.partition("=")[0],)
    assert refused("Appointment", text, strict=True) == ["search-named-unknown"]


def test_a_parameter_without_value_is_left_out_or_refused_when_strict() -> None:
    assert read("Appointment", "status=&patient=,").ignored == ("status", "patient")
    assert refused("Appointment", "status=", strict=True) == ["search-empty"]


@pytest.mark.parametrize(
    ("type", "text", "key"),
    [
        ("Slot", "start=demain", "search-date"),
        ("Slot", "start=2026-02-30", "search-date"),
        ("Slot", "start=xx2026", "search-date"),
        ("Slot", "schedule.date=demain", "search-date"),
        ("Patient", "_lastUpdated=hier", "search-date"),
        ("Patient", "identifier=|", "search-token"),
        ("Patient", "active=oui", "search-boolean"),
        ("Patient", "family:missing=oui", "search-boolean"),
        ("Appointment", "priority=haute", "search-integer"),
        ("Appointment", "_count=-1", "search-integer"),
        ("Appointment", "actor=a/b/c", "search-reference"),
        ("Appointment", "actor=%23p", "search-reference"),
        ("Appointment", "actor:Patient=Practitioner/1", "search-reference"),
        ("Location", "near=48", "search-near"),
        ("Location", "near=91|0", "search-near"),
        ("Location", "near=nan|0", "search-near"),
        ("Location", "near=48|2|1|pied", "search-near"),
        ("Location", "near=48|2|-1", "search-near"),
        ("Patient", "family:not=a", "search-modifier"),
        ("Patient", "identifier:of-type=a|b|c", "search-modifier"),
        ("Patient", "birthdate:exact=2000", "search-modifier"),
        ("Patient", "_id:exact=a", "search-modifier"),
        ("Patient", "_count:exact=1", "search-modifier"),
        ("Patient", "_lastUpdated:missing=true", "search-modifier"),
        ("Patient", "_has:Patient:link:" * 5 + "_id=a", "search-too-many"),
        ("Patient", "_include:not=Patient:link", "search-modifier"),
        ("Patient", "_total=many", "search-choice"),
        ("Patient", "_summary=maybe", "search-choice"),
        ("Patient", "_elements=a b", "search-elements"),
        ("Patient", "_page=abc", "search-page"),
        ("Patient", "link.link.link.link.link.name=a", "search-too-many"),
        ("Patient", "identifier=" + ",".join("a" * 201), "search-too-many"),
        ("Patient", "identifier=" + ",".join("a" * 101) + "&name=" + ",".join("a" * 100), "search-too-many"),
        ("Patient", "&".join(["name=a"] * 65), "search-too-many"),
        ("Patient", "name=" + "a" * 16_384, "search-too-many"),
        ("Patient", "name=%ff", "search-encoding"),
        ("Patient", "name=%00", "search-encoding"),
    ],
)
def test_what_cannot_be_read_is_refused_even_when_lenient(type: str, text: str, key: str) -> None:
    assert refused(type, text) == [key]


def test_what_is_at_a_limit_is_read() -> None:
    assert len(values("Patient", "identifier=" + ",".join("a" * 200))) == 200
    assert len(read("Patient", "&".join(["name=a"] * 64)).conditions) == 64
    assert isinstance(only("Patient", "link:Patient.link:Patient.link:Patient.link:Patient.family=a"), Chain)


def test_everything_wrong_is_refused_together_and_no_value_is_repeated() -> None:
    with pytest.raises(Malformed) as caught:
        read("Appointment", "date=DUPONT&status:foo=DUPONT&actor=a/b/DUPONT")

    sentences = [issue.text(language) for issue in caught.value.issues for language in ("fr", "en")]
    assert len(sentences) == 6
    assert not any("DUPONT" in sentence for sentence in sentences)


def test_count_is_bounded_and_zero_asks_for_the_count_only() -> None:
    assert [read("Patient", text).count for text in ("", "_count=7", "_count=100", "_count=101")] == [
        20,
        7,
        100,
        100,
    ]
    assert read("Patient", "_count=0").summary == "count"


def test_sorts_are_read_and_unknown_ones_named() -> None:
    query = read("Appointment", "_sort=-date,_id,foo")

    assert [(sort.code, sort.descending) for sort in query.sort] == [("date", True), ("_id", False)]
    assert query.ignored == ("_sort",)


def test_slots_come_in_the_order_of_their_starts_only() -> None:
    assert [sort.code for sort in read("Slot", "").sort] == ["start"]
    assert read("Slot", "_sort=-start").sort[0].descending
    assert read("Slot", "_sort=status").ignored == ("_sort",)
    page = cursor.write(Position((0,), "a"))
    assert read("Slot", f"_page={page}").after == page


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        ("Slot", "_include=Slot:schedule", ("Slot", "schedule", None, False, False)),
        ("Slot", "_include=Schedule:actor", ("Schedule", "actor", None, True, False)),
        (
            "Slot",
            "_include:iterate=PractitionerRole:location:Location",
            ("PractitionerRole", "location", "Location", True, False),
        ),
        ("Slot", "_include=*", ("Slot", None, None, False, False)),
        ("Slot", "_include=Slot:*", ("Slot", None, None, False, False)),
        ("Slot", "_include:recurse=Slot:*:Schedule", ("Slot", None, "Schedule", True, False)),
        ("Patient", "_revinclude=Appointment:patient", ("Appointment", "patient", None, False, True)),
        (
            "Slot",
            "_revinclude=PractitionerRole:practitioner",
            ("PractitionerRole", "practitioner", None, True, True),
        ),
    ],
)
def test_includes_name_where_they_start(type: str, text: str, expected: tuple[object, ...]) -> None:
    """C-42: an `_include` that cannot start from the matches is iterated."""
    (one,) = read(type, text, strict=True).includes

    assert (
        one.source,
        one.parameter and one.parameter.code,
        one.target,
        one.iterate,
        one.reverse,
    ) == expected


def test_every_reference_that_may_lead_here_is_a_reverse_include() -> None:
    found = read("Practitioner", "_revinclude=Appointment:*", strict=True).includes

    assert [one.parameter.code for one in found if one.parameter] == [
        "actor",
        "practitioner",
        "supporting-info",
    ]


@pytest.mark.parametrize(
    "text", ["_include=Foo:bar", "_include=Slot:start", "_revinclude=*", "_include=Slot:schedule:a b"]
)
def test_an_unknown_include_is_left_out_and_named(text: str) -> None:
    query = read("Slot", text)

    assert (query.includes, query.ignored) == ((), (text.partition("=")[0],))


def test_the_condition_of_a_write_names_an_identifier_and_nothing_unknown() -> None:
    assert condition("Appointment", "identifier=urn:a|1&status=booked").conditions
    for text in ("", "status=booked", "identifier=urn:a|", "identifier:not=a", "identifier:missing=false"):
        with pytest.raises(Malformed):
            condition("Appointment", text)
    for text in ("foo=1", "_count=1", "status=", "_sort=date"):
        with pytest.raises(Malformed):
            condition("Appointment", f"identifier=1&{text}")


NAMES = st.sampled_from(
    [row.code for type in TYPES for row in parameters(type)]
    + list(CONTROLS)
    + ["_has", "GAP_Slot_earliestStart"]
)
PIECES = st.sampled_from(
    [".", ":", *TYPES, *{one for kind in MODIFIERS.values() for one in kind}, "_has:Appointment:patient:"]
)
WORDS = st.sampled_from(
    [
        "ge",
        "2026-01-01",
        "T10:00",
        "+01:00",
        "|",
        ",",
        "\\",
        "$",
        " ",
        "%",
        "true",
        "Patient/1",
        "48.8",
        "é",
        "-",
        "*",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    type=st.sampled_from(TYPES),
    pairs=st.lists(
        st.tuples(
            st.lists(NAMES | PIECES | st.text(max_size=3), max_size=6).map("".join),
            st.lists(WORDS | st.text(max_size=4), max_size=5).map("".join),
        ),
        max_size=4,
    ),
    strict=st.booleans(),
)
def test_any_parameters_are_read_or_malformed(type: str, pairs: list[tuple[str, str]], strict: bool) -> None:
    try:
        query = grammar.read(
            type, pairs, zone=PARIS, bases=BASES, strict=strict, page_limit=100, default_count=20
        )
    except Malformed as problem:
        assert all(issue.text() and issue.text("en") for issue in problem.issues)
    else:
        assert query.type == type
        assert not (strict and query.ignored)


@settings(max_examples=400, deadline=None)
@given(text=st.text(st.characters(), max_size=60) | st.text("%+&=T0123456789:aF", max_size=40))
def test_any_query_string_is_decoded_or_malformed(text: str) -> None:
    try:
        pairs = grammar.pairs(text)
    except Malformed:
        return

    assert not any("\x00" in part for pair in pairs for part in pair)


@settings(max_examples=300, deadline=None)
@given(
    word=st.text(max_size=30) | st.text("ABCxyz019-_=", max_size=30),
    sort=st.sampled_from(["", "_sort=family", "_sort=birthdate,-_id"]),
)
def test_a_page_position_that_was_tampered_with_is_malformed(word: str, sort: str) -> None:
    sorts = cursor.order(read("Patient", sort)).sorts
    try:
        position = cursor.read(word, sorts)
    except Malformed:
        return

    assert cursor.read(cursor.write(position), sorts) == position


def test_pairs_from_elsewhere_are_bounded_too() -> None:
    with pytest.raises(Malformed):
        grammar.read("Patient", [("name", "a")] * 65, zone=PARIS, bases=BASES, strict=False)
