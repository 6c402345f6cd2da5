"""What the SQLite store keeps in memory: bounded, and never older than what was acknowledged."""

from __future__ import annotations

from creneau.store import recent
from creneau.store.contract import Stored
from creneau.store.recent import Recent

from .made import plan, put, schedule


def version(id_: str, number: int = 1, size: int = 2_000) -> Stored:
    return Stored("Patient", id_, number, 0, "update", b"x" * size)


def test_what_is_asked_for_again_outlives_what_is_not():
    kept = Recent()
    kept.keep(version("mine"))
    for number in range(40_000):
        kept.keep(version(f"p{number}"))
        assert number % 1_000 or kept.get("Patient", "mine") is not None

    assert kept.get("Patient", "p0") is None
    assert kept.get("Patient", "p39999") is not None


def test_the_bodies_kept_are_bounded():
    kept = Recent()
    for number in range(3_000):
        kept.keep(version(f"p{number}", size=recent.BODY))

    held = sum(len(one.body) for generation in (kept._young, kept._old) for one in generation.values())
    assert held <= 2 * (recent.BYTES + recent.BODY)


def test_a_body_too_long_to_keep_drops_the_version_before_it():
    kept = Recent()
    kept.keep(version("p", 1))

    kept.keep(version("p", 2, size=recent.BODY + 1))

    assert kept.get("Patient", "p") is None


def test_a_commit_replaces_versions_and_forgets_who_owns_agendas():
    kept = Recent()
    kept.know({"Practitioner/1": []})

    kept.committed(plan(put("Patient", "p", 1), schedule("martin", "Practitioner/1")))

    assert kept.get("Patient", "p").version == 1
    assert kept.agendas("Practitioner/1") is None


def test_a_version_read_after_an_acknowledged_write_is_the_one_written(sqlite, run):
    run(sqlite.commit(plan(put("Patient", "p", 1))))
    run(sqlite.get("Patient", "p"))

    run(sqlite.commit(plan(put("Patient", "p", 2))))

    assert run(sqlite.get("Patient", "p")).version == 2
