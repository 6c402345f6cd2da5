"""A search as values: what `search/grammar.py` reads from a query string, and what stores and the oracle execute."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One search parameter of one type: a row of the table in `search/parameters.py`, the only one of its kind.

    `kind` is FHIR's: token, date, string, reference, uri, number, quantity, special. `paths` is the FHIRPath subset compiled
    by `search/extract.py`. `targets` are the types a reference may point to. `url` is the canonical of the definition.
    """

    type: str
    code: str
    kind: str
    paths: str
    targets: tuple[str, ...] = ()
    url: str = ""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`code` (system is None), `system|code`, `|code` (system == ""), `system|` (code is None).

    Of a uri, of an element of type code or boolean, and of a reference to another server: system is "".
    """

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix (eq ne lt gt le ge sa eb ap) and the half-open interval the date covers, in microseconds UTC.

    Of `ap` the interval is already widened: by its own length on either side.
    """

    prefix: str
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class TextValue:
    """A string to compare: `folded` for starts-with and contains, `text` for exact."""

    folded: str
    text: str


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A reference to find: type is None when the client gave a bare id and the parameter has several targets."""

    type: str | None
    id: str


@dataclass(frozen=True, slots=True)
class NearValue:
    """`near`: degrees, and the distance in kilometres."""

    latitude: float
    longitude: float
    kilometres: float


Value = TokenValue | DateValue | TextValue | LinkValue | NearValue


@dataclass(frozen=True, slots=True)
class Term:
    """One occurrence of one parameter. Values are OR-ed, terms AND-ed.

    `modifier` is "", "exact", "contains", "missing", "not", "identifier", "text" or "in" …; for `missing` the only value is
    TokenValue(None, "true" | "false").
    """

    parameter: Parameter
    values: tuple[Value, ...]
    modifier: str = ""


@dataclass(frozen=True, slots=True)
class Ids:
    """`_id`: any of these."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastUpdated:
    """`_lastUpdated`, values OR-ed."""

    values: tuple[DateValue, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """`parameter:target.inner`: the resource's reference `parameter` leads to a `target` that satisfies `inner`."""

    parameter: Parameter
    target: str
    inner: Condition


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:source:parameter:inner`: a `source` whose reference `parameter` leads here satisfies `inner`."""

    source: str
    parameter: Parameter
    inner: Condition


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these holds (a chain without a type is one Chain per possible target)."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold, whatever the reason: a resource without any value counts."""

    condition: Condition


Condition = Term | Ids | LastUpdated | Chain | Has | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of `_sort`: a parameter, or "_id" / "_lastUpdated"."""

    code: str
    parameter: Parameter | None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` / `_revinclude`: from `source` through `parameter` (None: all) to `target` (None: any type)."""

    source: str
    parameter: Parameter | None
    target: str | None = None
    iterate: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search on one type.

    `count` is the page size (None: server default), `after` the opaque position where the page starts, `total` one of "accurate", "none",
    "estimate". `understood` is the parameters as understood, in order, for `Bundle.link[self]`; `ignored` the names that were
    not, for the outcome entry, as is `escaped`: the names whose value has an escaped pipe after a URI (C-43). `summary` and `elements` shape
    what is sent, not what is found.
    """

    type: str
    conditions: tuple[Condition, ...] = ()
    sort: tuple[Sort, ...] = ()
    includes: tuple[Include, ...] = ()
    count: int | None = None
    after: str | None = None
    total: str = "accurate"
    summary: str | None = None
    elements: tuple[str, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = field(default=())
    escaped: tuple[str, ...] = ()
