"""Bundles joined from stored bytes: searchset (flows 4a/5a, 4b/5b), history, batch-response, transaction-response.

https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/http.html#history, #transaction-response; GAP-CDI-06, GAP-CRV-04.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from creneau.fhir import instant
from creneau.flows.answers import Checked, Deleted, Done, Entry, Found, Past, Saved
from creneau.http import links, outcomes, render
from creneau.http.request import OURS, Call, Pairs
from creneau.http.response import versioned
from creneau.problems import Issue, Problem
from creneau.store.contract import Stored

_text = msgspec.json.encode


def searchset(call: Call, found: Found, *, hide: bool = False) -> bytes:
    """The Bundle of a search. `hide`: its links keep to themselves who was searched for (POST)."""
    query = found.query
    ours = tuple(pair for pair in call.pairs if pair[0] in OURS)
    entries = [] if query.summary == "count" else _matches(call, found)
    if found.outcome and query.summary != "count":
        entries.append(_spoken(found.outcome, call.language))
    shown = _links(call, query.type, query.understood + ours, found.next, hide)
    return _bundle("searchset", found.total, shown, entries)


def operation(call: Call, found: Found, name: str, parameters: Pairs) -> bytes:
    """The Bundle that an operation answers with the matches of a search: `self` leads to the operation, with its own parameters."""
    query = found.query
    ours = tuple(pair for pair in call.pairs if pair[0] in OURS)
    entries = _matches(call, found)
    if found.outcome:
        entries.append(_spoken(found.outcome, call.language))
    pairs = (*parameters, *query.understood, *ours)
    shown = _links(call, f"{query.type}/{name}", pairs, None, False)
    return _bundle("searchset", found.total, shown, entries)


def _links(call: Call, type: str, pairs: Pairs, next: str | None, hide: bool) -> list[tuple[str, str]]:
    settings = call.front.settings
    here = tuple(pair for pair in pairs if pair[0] != links.CURSOR)
    if hide:
        here = links.sealed(here, settings.link_key)
    shown = [("self", links.show(settings.base_url, type, here))]
    if next is not None:
        then = links.following(here, next, settings.link_key)
        shown.append(("next", links.show(settings.base_url, type, then)))
    return shown


def _matches(call: Call, found: Found) -> list[bytes]:
    mode, names = found.query.summary, ",".join(found.query.elements)
    entries: Iterable[Entry] = found.entries
    if mode is not None or names:
        entries = (one._replace(body=render.shape(one.body, mode, names)) for one in entries)
    # Types, ids and modes hold no character that JSON escapes. Joining takes half the time of formatting.
    base = call.front.settings.base_url
    heads = {type: f'{{"fullUrl":"{base}/{type}/'.encode() for type in {one.type for one in found.entries}}
    return [
        b"".join((heads[type], id.encode(), _THEN, body, _MODE[mode])) for type, id, body, mode in entries
    ]


_THEN: Final = b'","resource":'
_MODE: Final = {mode: f',"search":{{"mode":"{mode}"}}}}'.encode() for mode in ("match", "include")}


def _spoken(issues: Iterable[Issue], language: str) -> bytes:
    return b'{"resource":%b,"search":{"mode":"outcome"}}' % _text(outcomes.outcome(issues, language))


def _bundle(
    kind: str, total: int | None, shown: Sequence[tuple[str, str]], entries: Sequence[bytes]
) -> bytes:
    parts = [b'{"resourceType":"Bundle","type":"%b"' % kind.encode()]
    if total is not None:
        parts.append(b',"total":%d' % total)
    if shown:
        parts.append(b',"link":' + _text([{"relation": name, "url": url} for name, url in shown]))
    before = b',"entry":['
    for entry in entries:  # joined once: a page may be a megabyte
        parts += (before, entry)
        before = b","
    parts.append(b"]}" if entries else b"}")
    return b"".join(parts)


def history(call: Call, past: Past, path: str) -> bytes:
    """The Bundle of a history, newest first; `path` is what stands before `/_history` under the base, "" for all."""
    base = call.front.settings.base_url
    place = f"{path}/_history" if path else "_history"
    here = tuple(pair for pair in call.pairs if pair[0] != links.CURSOR)
    shown = [("self", links.show(base, place, here))]
    if past.next is not None:
        shown.append(("next", links.show(base, place, (*here, (links.CURSOR, past.next)))))
    return _bundle("history", past.total, shown, [_version(base, stored) for stored in past.items])


_METHOD = {"create": ("POST", "201 Created"), "update": ("PUT", "200 OK"), "delete": ("DELETE", "200 OK")}


def _version(base: str, stored: Stored) -> bytes:
    method, status = _METHOD[stored.interaction]
    url = stored.type if method == "POST" else f"{stored.type}/{stored.id}"
    parts = [b'{"fullUrl":', _text(f"{base}/{stored.type}/{stored.id}")]
    if not stored.deleted:
        parts += [b',"resource":', stored.body]
    parts += [b',"request":', _text({"method": method, "url": url})]
    parts += [b',"response":', _text({"status": status, **_tags(stored)}), b"}"]
    return b"".join(parts)


def _tags(stored: Stored) -> dict[str, str]:
    return {"etag": f'W/"{stored.version}"', "lastModified": instant.show(stored.updated)}


def responses(call: Call, kind: str, done: Sequence[Done]) -> bytes:
    """The Bundle that answers a batch or a transaction (`kind` is "batch-response" or "transaction-response"), entry by entry in the order sent."""
    return _bundle(kind, None, (), [_done(call, one) for one in done])


def _done(call: Call, done: Done) -> bytes:
    answer = done.answer
    response: dict[str, Any] = {"status": _line(_status(answer))}
    stored = answer if isinstance(answer, Stored) else getattr(answer, "stored", None)
    if isinstance(answer, Saved):
        response["location"] = versioned(call.front.settings.base_url, answer.stored)
    if stored is not None:
        response.update(_tags(stored))
    if said := _said(call, answer):
        response["outcome"] = said
    resource = _carried(call, answer)
    carried = b'"resource":%b,' % resource if resource else b""
    return b'{%b"response":%b}' % (carried, _text(response))


def _status(answer: object) -> int:
    if isinstance(answer, Problem):
        return outcomes.status_of(answer)
    if isinstance(answer, Exception):
        return 500
    return 201 if isinstance(answer, Saved) and answer.created else 200


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _said(call: Call, answer: object) -> dict[str, Any] | None:
    match answer:
        case Problem():
            return outcomes.of_problem(answer, call.language)
        case Exception():
            return outcomes.outcome((Issue(outcomes.EXCEPTION),), call.language)
        case Deleted(warnings=warnings):
            return outcomes.outcome(
                (Issue(outcomes.DELETED, severity="information"), *warnings), call.language
            )
        case Saved(warnings=warnings) if warnings:
            return outcomes.outcome(warnings, call.language)
    return None


def _carried(call: Call, answer: object) -> bytes | None:
    match answer:
        case Saved(stored=stored) if call.prefer.returns == "representation":
            return stored.body
        case Stored(body=body):
            return body
        case Found():
            return searchset(call, answer)
        case Past():
            return history(call, answer, "")
        case Checked(issues=issues):
            return _text(outcomes.outcome(issues, call.language) if issues else outcomes.clean(call.language))
    return None
