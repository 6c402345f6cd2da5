"""How much of a page fits: an answer holds 20 MiB at the most (SEC-23), whatever its resources weigh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from creneau.store.contract import Stored

PAGE_BYTES: Final = 12 << 20
"""Bytes of the bodies of one page: it ends before they are passed, and `next` goes on; it holds one resource at least."""


def fitting(items: Iterable[Stored]) -> list[Stored]:
    """The first of them, as many as one page holds."""
    kept: list[Stored] = []
    weight = 0
    for one in items:
        weight += len(one.body)
        if weight > PAGE_BYTES and kept:
            break
        kept.append(one)
    return kept
