"""Identifiers of the right shape that belong to nobody."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creneau.demo.numbers import finess, luhn, nir, nir_key, rpps
from tests.demo.reading import identifiers, of_type

TODAY = date(2026, 3, 18)


def passes_luhn(number: str) -> bool:
    doubled = [int(digit) * (1 + rank % 2) for rank, digit in enumerate(reversed(number))]
    return sum(sum(divmod(one, 10)) for one in doubled) % 10 == 0


def values(type: str, system: str) -> list[str]:
    return [value for one in of_type(TODAY, type) for found, value in identifiers(one) if found == system]


def test_luhn_gives_the_key_of_the_published_example() -> None:
    assert luhn("7992739871") == "79927398713"


@given(st.text("0123456789", min_size=1, max_size=30))
def test_whatever_the_digits_the_key_passes_and_no_other_does(digits: str) -> None:
    right = luhn(digits)

    assert [key for key in "0123456789" if passes_luhn(digits + key)] == [right[-1]]


@pytest.mark.parametrize(
    ("number", "key"), [("2550814168025", "38"), ("2690549588157", "80"), ("1630278477042", None)]
)
def test_the_nir_key_is_that_of_published_examples(number: str, key: str | None) -> None:
    assert nir_key(number) == (key or f"{97 - int(number) % 97:02}")


@pytest.mark.parametrize(("island", "offset"), [("2A", 1_000_000), ("2B", 2_000_000)])
def test_in_corsica_the_letter_counts_as_zero_less_one_or_two_million(island: str, offset: int) -> None:
    number = f"16905{island}998001"

    as_digits = int(number.replace("A", "0").replace("B", "0")) - offset

    assert nir_key(number) == f"{97 - as_digits % 97:02}"


def test_a_nir_says_sex_month_and_commune() -> None:
    assert nir("female", "1984-07-30", "2A998", 41).startswith("284072A998041")
    assert len(nir("male", "1984-07-30", "97199", 1)) == 15


def test_every_rpps_has_its_key_and_stays_out_of_what_is_attributed() -> None:
    numbers = values("Practitioner", "https://rpps.esante.gouv.fr")

    assert len(numbers) == len(set(numbers)) == 62
    assert all(len(one) == 11 and one.startswith("9990") and passes_luhn(one) for one in numbers)
    assert values("Practitioner", "urn:oid:1.2.250.1.71.4.2.1") == [f"8{one}" for one in numbers]
    assert rpps(1) in numbers


def test_every_finess_has_its_key_and_a_departement_that_does_not_exist() -> None:
    numbers = values("Organization", "https://finess.esante.gouv.fr")

    assert finess(11) in numbers
    assert all(len(one) == 9 and one.startswith("96") and passes_luhn(one) for one in numbers)


def test_every_patient_has_a_test_ins_that_agrees_with_sex_and_birth() -> None:
    for one in of_type(TODAY, "Patient"):
        (number,) = [value for system, value in identifiers(one) if system == "urn:oid:1.2.250.1.213.1.4.10"]
        assert number[13:] == nir_key(number[:13])
        assert number[0] == {"male": "1", "female": "2"}[one["gender"]]
        assert number[1:5] == one["birthDate"][2:4] + one["birthDate"][5:7]
        assert number[7:9] == "99" or number[8:10] == "99"


def test_some_patients_are_born_in_each_half_of_corsica() -> None:
    numbers = values("Patient", "urn:oid:1.2.250.1.213.1.4.10")

    assert {one[5:7] for one in numbers} > {"2A", "2B"}


def test_no_identifier_is_of_the_real_ins() -> None:
    assert values("Patient", "urn:oid:1.2.250.1.213.1.4.8") == []
