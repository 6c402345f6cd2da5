"""Looks into a SQLite store's file from outside, by brute force, for what must never be there."""

from __future__ import annotations

import sqlite3
from itertools import combinations
from pathlib import Path

Held = tuple[str, int, int, str, int]


def double_bookings(path: Path, now: int) -> list[tuple[str, int]]:
    """Each thing and instant at which more appointments hold it, checked, than the largest capacity among them."""
    with sqlite3.connect(path) as connection:
        rows: list[Held] = connection.execute(
            "SELECT thing, start, finish, appointment, capacity FROM taken"
            " WHERE guarded = 1 AND (lapse IS NULL OR lapse > ?)",
            (now,),
        ).fetchall()
    connection.close()
    return crowds(rows)


def crowds(rows: list[Held]) -> list[tuple[str, int]]:
    """The same of rows (thing, start, end, appointment, capacity)."""
    found = []
    for thing, instant in {(row[0], row[1]) for row in rows}:
        there = {row for row in rows if row[0] == thing and row[1] <= instant < row[2]}
        if len({row[3] for row in there}) > max(row[4] for row in there):
            found.append((thing, instant))
    return sorted(found)


def overlaps(held: list[tuple[str, int, int]]) -> list[tuple[str, str]]:
    """Pairs of appointments whose (appointment, start, end) overlap."""
    return [(a, b) for (a, s, e), (b, t, f) in combinations(held, 2) if a != b and s < f and t < e]
