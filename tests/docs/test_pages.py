"""What the pages say is so: their commands are run, their links lead somewhere, their tables are those of the source."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from creneau.fhir.validation.invariants import INVARIANTS
from tests.client import Server
from tests.docs import generate, pages
from tests.docs.pages import ROOT

README = ROOT / "README.md"
RUN = (
    README,
    ROOT / "docs/validation.md",
    *sorted((ROOT / "docs/flows").glob("*.md")),
    *sorted((ROOT / "docs/use-cases").glob("*.md")),
)
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))
NOT_YET = frozenset({"docs/reliability.md"})
"""Pages that a long run writes (`make torture`): links to them may lead nowhere before it."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", RUN, ids=name)
def test_every_command_of_a_page_is_answered_as_the_page_says(
    demonstration: Server, tmp_path: Path, page: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")

    done = pages.run(page, demonstration.port, tmp_path)

    found = pages.steps(page)
    assert [(step.line, step.announced) for step in found] == [
        (step.line, ran.statuses) for step, ran in zip(found, done, strict=True)
    ]
    for step, ran in zip(found, done, strict=True):
        line = pages.missing(step.shown, ran.output)
        assert line is None, f"{name(page)}:{step.line} does not print {line!r} but:\n{ran.output}"


def test_every_flow_has_its_page() -> None:
    assert {page.stem for page in (ROOT / "docs/flows").glob("*.md")} >= {
        *(
            "1-resources",
            "2-agenda",
            "3-availability",
            "4a-slots",
            "4b-appointments",
            "6a-create",
            "6b-update",
        ),
        *("responses", "bundles"),
    }


def test_a_page_that_shows_nothing_to_run_would_be_noticed() -> None:
    shown = {name(page): sum(len(step.announced) for step in pages.steps(page)) for page in RUN}

    assert min(shown.values()) >= 3, shown


@pytest.mark.parametrize(
    ("shown", "output", "missing"),
    [
        ('"a": 1', '  "a": 1,\n', None),
        ("a\nb", "a\nx\nb", None),
        ("b\na", "a\nb", "a"),
        ("location: …/Patient/…/_history/1", "location: http://x/Patient/7/_history/1\r", None),
        ("status: 201", "status: 2010", "status: 201"),
        ("…", "", None),
    ],
)
def test_lines_shown_are_looked_for_in_order(shown: str, output: str, missing: str | None) -> None:
    assert pages.missing(shown, output) == missing


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = []

    for link in pages.links(page):
        path, _, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if name(target) not in NOT_YET and not (
            target.exists() and (not place or place in pages.anchors(target))
        ):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.exists():
            reached.add(page)
            targets = [(page.parent / link.partition("#")[0]).resolve() for link in pages.links(page)]
            for target in targets:
                waiting += (
                    target.glob("*.md") if target.is_dir() else [target] if target.suffix == ".md" else []
                )

    assert [name(page) for page in PAGES if page not in reached] == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_targets_of_make_that_a_page_names_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE))
    known = {one for line in targets for one in line.split()}

    named = set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))

    assert named <= known


@pytest.mark.parametrize("made", generate.MADE)
def test_tables_made_from_the_source_are_those_committed(made: str) -> None:
    assert (generate.DOCS / made).read_text("utf-8") == generate.page(made), "python -m tests.docs.generate"


def test_every_refusal_has_one_row() -> None:
    text = (generate.DOCS / "errors.md").read_text("utf-8")
    never = {one.key for one in INVARIANTS if one.severity == "best practice"}

    rows = Counter(re.findall(r"^\| `([^`]+)` \|", text.partition("errors: begin")[2], re.MULTILINE))

    assert rows == Counter(set(generate.refusals()) - never)


def test_statuses_said_by_hand_are_of_rows_that_exist() -> None:
    assert set(generate.ELSEWHERE) <= set(generate.refusals())


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("unknown-id", "404"),
        ("deleted", "410"),
        ("version-stale", "412"),
        ("still-referred-to", "409"),
        ("query-too-long", "414"),
        ("head-too-long", "431"),
        ("media-type-not-supported", "415"),
        ("status-step", "422"),
        ("search-date", "400"),
        ("json-depth", "400"),
    ],
)
def test_the_status_of_a_refusal_is_read_from_the_source(key: str, said: str) -> None:
    texts = generate.sources()

    found = generate.status(generate.refusals()[key], texts, generate.places(texts)[key])

    assert found == said


def test_pages_name_keys_that_exist() -> None:
    known = set(generate.refusals())
    said = re.compile(r"\b(?:4\d\d|503|warning|code|codes) `([a-z][a-z0-9]*(?:-[a-z0-9]+)+)`")

    named = {key for page in RUN for key in said.findall(page.read_text("utf-8"))}

    assert len(named) > 10
    assert named <= known
