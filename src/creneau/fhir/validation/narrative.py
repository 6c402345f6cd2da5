"""The XHTML that a narrative may hold: FHIR's subset, nothing that runs, nothing fetched from elsewhere (SEC-22). https://hl7.org/fhir/R4/narrative.html"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from lxml import etree

XHTML: Final = "{http://www.w3.org/1999/xhtml}"
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

# More tags than any narrative has; with fewer, reading one costs less than 50 ms.
MOST_TAGS: Final = 20_000

TAGS: Final = frozenset(
    XHTML + tag
    for tag in [
        "p",
        "br",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "a",
        "span",
        "b",
        "em",
        "i",
        "strong",
        "small",
        "big",
        "tt",
        "dfn",
        "q",
        "var",
        "abbr",
        "acronym",
        "cite",
        "blockquote",
        "hr",
        "address",
        "bdo",
        "kbd",
        "ins",
        "del",
        "sub",
        "sup",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "pre",
        "table",
        "caption",
        "colgroup",
        "col",
        "thead",
        "tr",
        "tfoot",
        "tbody",
        "th",
        "td",
        "code",
        "samp",
        "img",
        "map",
        "area",
    ]
)
ATTRIBUTES: Final = frozenset(
    (
        "title style class id lang dir accesskey tabindex span width align valign char charoff abbr axis headers scope"
        f" rowspan colspan {XML_LANG}"
    ).split()
)
ATTRIBUTES_OF: Final = {
    XHTML + "a": frozenset(["href", "name", "charset", "type", "hreflang", "rel", "rev", "shape", "coords"]),
    XHTML + "img": frozenset(["src", "border", "alt", "longdesc", "height", "width", "usemap", "ismap"]),
    XHTML + "blockquote": frozenset(("cite",)),
    XHTML + "q": frozenset(("cite",)),
    XHTML + "map": frozenset(("name",)),
    XHTML + "area": frozenset(["shape", "coords", "href", "nohref", "alt"]),
    XHTML + "table": frozenset(
        ["summary", "border", "frame", "rules", "cellspacing", "cellpadding", "bgcolor"]
    ),
    XHTML + "pre": frozenset(("space",)),
    XHTML + "td": frozenset(("nowrap",)),
    XHTML + "ol": frozenset(("start", "type")),
}
LINKS: Final = frozenset(("href", "cite", "longdesc", "usemap"))
SCHEMES: Final = frozenset(("", "http", "https", "mailto", "tel"))
FUNCTIONS: Final = frozenset(("rgb", "rgba", "hsl", "hsla", "calc"))

_DECLARATION: Final = re.compile(r"<!(?!--)|<\?").search
_FUNCTION: Final = re.compile(r"([a-z-]*)\(").findall
_SCHEME: Final = re.compile(r"([^/?#:]*):").match
_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f]")
_PICTURE: Final = re.compile(r"data:image/(?:png|gif|jpeg|webp)[;,]").match


def is_safe(div: str) -> bool:
    """txt-1: whether this is one well-formed `<div>` of allowed elements, attributes and links."""
    return _verdict(div)[0]


def has_content(div: str) -> bool:
    """txt-2: whether there is text other than white space, or a picture. A div that cannot be read is left to txt-1."""
    return _verdict(div)[1]


@lru_cache(maxsize=1)
def _verdict(div: str) -> tuple[bool, bool]:
    root = _parsed(div)
    if root is None:
        return False, True
    visible = any(text.strip() for text in root.itertext()) or root.find(f".//{XHTML}img") is not None
    return root.tag == XHTML + "div" and all(_allowed(element) for element in _elements(root)), visible


def _parsed(div: str) -> etree._Element | None:
    if _DECLARATION(div) or div.count("<") > MOST_TAGS:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(div, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _elements(root: etree._Element) -> Iterator[etree._Element]:
    return root.iter()


def _allowed(element: etree._Element) -> bool:
    tag = str(element.tag)
    if tag not in TAGS:
        return False
    own = ATTRIBUTES_OF.get(tag, frozenset())
    return all(
        (name in ATTRIBUTES or name in own) and _harmless(str(name), str(value))
        for name, value in element.attrib.items()
    )


def _harmless(name: str, value: str) -> bool:
    if name == "style":
        lowered = value.lower()
        return "\\" not in lowered and "@" not in lowered and FUNCTIONS.issuperset(_FUNCTION(lowered))
    if name == "src":
        return _inside(_INVISIBLE.sub("", value).lower())
    return name not in LINKS or _scheme(_INVISIBLE.sub("", value).lower()) in SCHEMES


def _inside(url: str) -> bool:
    # A picture elsewhere would tell its owner who reads which patient's record, and when.
    return _PICTURE(url) is not None or (_scheme(url) == "" and not url.startswith("//"))


def _scheme(url: str) -> str:
    found = _SCHEME(url)
    return found[1] if found else ""
