"""Identifiers of the right shape, with valid keys, that belong to nobody.

RPPS and FINESS end with a Luhn digit (ISO/IEC 7812-1); a NIR with 97 - n mod 97, where 2A counts as 19 and 2B as 18.

- RPPS: 9990……. Registered numbers start with 1, and the test cards of the Agence du numérique en santé with 997.
- FINESS and postal codes: 96, a département number that is not attributed.
- NIR: commune numbers from 991 on (99 for overseas), which INSEE attributes to no commune.
- Telephone: 03 53 01 and 06 39 98, which ARCEP keeps for works of fiction.
"""

from __future__ import annotations


def luhn(digits: str) -> str:
    """The digits followed by their Luhn key."""
    total = 0
    for rank, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 if rank % 2 else 2)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def rpps(rank: int) -> str:
    """Eleven digits, the last one the key."""
    return luhn(f"9990{rank:06}")


def finess(rank: int) -> str:
    """Nine digits, the last one the key."""
    return luhn(f"96000{rank:03}")


def nir_key(number: str) -> str:
    """The key of the 13 characters of a NIR."""
    as_digits = number.replace("2A", "19").replace("2B", "18")
    return f"{97 - int(as_digits) % 97:02}"


def nir(gender: str, birth: str, commune: str, order: int) -> str:
    """Fifteen characters: sex, year and month of birth (ISO date), commune (five characters), order, key."""
    sex = "2" if gender == "female" else "1"
    number = f"{sex}{birth[2:4]}{birth[5:7]}{commune}{order:03}"
    return number + nir_key(number)


def landline(rank: int) -> str:
    """A telephone of fiction; there are 10,000 of them, given again after rank 9999."""
    return f"+3335301{rank % 10_000:04}"


def mobile(rank: int) -> str:
    """A mobile telephone of fiction; there are 10,000 of them, given again after rank 9999."""
    return f"+3363998{rank % 10_000:04}"
