"""The validator: everything wrong with a resource, at once. https://hl7.org/fhir/R4/validation.html"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from creneau.fhir.validation.findings import (
    STRUCTURE,
    TOO_DEEP,
    UNKNOWN_PROFILE,
    Finding,
    Findings,
    is_structural,
)
from creneau.fhir.validation.packages import compiled_package
from creneau.fhir.validation.profile import profile_check
from creneau.fhir.validation.resources import resource_check
from creneau.fhir.validation.rulebook import Rulebook, is_core
from creneau.fhir.validation.structure import type_check
from creneau.problems import Invalid, Issue, Malformed


class Validator:
    """Checks resources against R4 4.0.1 and the profiles it knows: FR Core 2.0.1, GAP 3.0.0 and those of added packages."""

    def __init__(self, packages: Sequence[Path] = ()) -> None:
        """Read the tables, and each `package.tgz`. Raises UnreadablePackage naming the file."""
        self._book = Rulebook()
        for path in packages:
            self._book.add(compiled_package(path, self._book.types))
        self._check = resource_check(self._book, type_check)

    def check(self, resource: Mapping[str, Any], *, profiles: Sequence[str] = ()) -> list[Issue]:
        """Every error, warning and information found, in the order of the resource.

        Checked: R4, each known profile that `meta.profile` claims (DEC-11), and each of `profiles`. An unknown profile is a warning.
        """
        found = self._found(resource)
        if not is_structural(found):
            found = [*(found or ()), *self._asked(resource, profiles)]
        root = resource.get("resourceType") if isinstance(resource, Mapping) else None
        return [_issue(finding, root if isinstance(root, str) else "") for finding in found or ()]

    def refuse(self, resource: Mapping[str, Any], profiles: Sequence[str] = ()) -> tuple[Issue, ...]:
        """The warnings of a resource without errors. Raises Malformed when it has not the shape of its type, else Invalid."""
        issues = self.check(resource, profiles=profiles)
        errors = [issue for issue in issues if issue.severity == "error"]
        if any(issue.why.code == STRUCTURE for issue in errors):
            raise Malformed(*issues)
        if errors:
            raise Invalid(*issues)
        return tuple(issues)

    def known_profiles(self) -> tuple[str, ...]:
        """The URLs of every profile and extension definition that can be checked, sorted."""
        return self._book.known_profiles()

    def profiles_of(self, type: str) -> tuple[str, ...]:
        """The URLs of the known profiles of a resource type, sorted."""
        return tuple(sorted(url for url, of in self._book.types.items() if of == type))

    def _found(self, resource: Mapping[str, Any]) -> Findings:
        try:
            return self._check(resource)
        except RecursionError:
            return [Finding(TOO_DEEP)]

    def _asked(self, resource: Mapping[str, Any], profiles: Sequence[str]) -> Iterator[Finding]:
        for url in profiles:
            if is_core(url, str(resource["resourceType"])):
                continue
            profile = profile_check(self._book, url)
            yield from (
                (Finding(UNKNOWN_PROFILE, severity="warning"),)
                if profile is None
                else profile(resource) or ()
            )


def _issue(finding: Finding, root: str) -> Issue:
    # An unknown resource type is the client's text, and no place in any resource.
    at = "" if finding.why.key == "unknown-resource-type" and not finding.at else root + finding.at
    return Issue(finding.why, at, finding.severity, finding.values)
