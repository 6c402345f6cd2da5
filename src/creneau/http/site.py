"""What stands beside the FHIR base: health probes, figures, a front page that says what this is.

REL-32: readiness turns to 503 as soon as the stop is asked.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from creneau.http import metrics
from creneau.http.request import Call
from creneau.http.response import Answer, Header
from creneau.http.routes import Route
from creneau.problems import Issue, Missing, NotOffered, refusal

if TYPE_CHECKING:
    from creneau.http.app import Application

NOTHING_HERE = refusal(
    "nothing-here", "not-found", "Il n'y a rien à cette adresse.", "There is nothing at this address."
)
GET_ONLY = refusal("get-only", "not-supported", "Cette page se lit par GET.", "This page is read by GET.")

JSON: Final[Header] = (b"content-type", b"application/json")
HTML: Final[Header] = (b"content-type", b"text/html; charset=utf-8")

_STYLE: Final = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif;"
    "color:#1b1b1b;background:#fff}a{color:#0b4f9e}section{margin-top:2rem}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'".encode()
)

_PAGE: Final = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Creneau : serveur d'agendas partagés</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Creneau</h1>
<section aria-labelledby="fr">
<h2 id="fr">Serveur d'agendas partagés</h2>
<p>Ce serveur tient des agendas de santé et leurs rendez-vous, selon le volet GAP (Gestion d'Agendas Partagés)
du CI-SIS et FHIR R4. Il s'adresse aux logiciels.</p>
<ul>
<li>Base FHIR : <code>{base}</code></li>
<li><a href="fhir/metadata?_pretty=true">Ce que le serveur offre (CapabilityStatement)</a></li>
<li><a href="health/ready">État de disponibilité</a></li>
<li><a hreflang="fr" href="https://interop.esante.gouv.fr/ig/fhir/gap/">Le volet GAP</a></li>
</ul>
</section>
<section lang="en" aria-labelledby="en">
<h2 id="en">Shared-calendar server</h2>
<p>This server keeps health-care agendas and their appointments, following the French GAP volet of the CI-SIS
and FHIR R4. It speaks to software.</p>
<ul>
<li>FHIR base: <code>{base}</code></li>
<li><a href="fhir/metadata?_pretty=true">What the server offers (CapabilityStatement)</a></li>
<li><a href="health/ready">Readiness</a></li>
<li><a hreflang="en" href="https://hl7.org/fhir/R4/">FHIR R4</a></li>
</ul>
</section>
</main>
</body>
</html>
"""


async def not_found(call: Call) -> Answer:
    """Every address that is nobody's."""
    raise Missing(Issue(NOTHING_HERE))


def table(application: Application) -> dict[str, Route]:
    """The addresses beside the FHIR base; `Route.interaction` is what figures call them."""
    base = application.front.settings.base_url
    page = _PAGE.format(style=_STYLE, base=base.replace("&", "&amp;").replace("<", "&lt;")).encode()

    async def home(call: Call) -> Answer:
        _read(call)
        return Answer(200, [(b"content-security-policy", _POLICY)], page, HTML)

    async def live(call: Call) -> Answer:
        _read(call)
        return _state(200, "live")

    async def ready(call: Call) -> Answer:
        _read(call)
        if application.stopping:
            return _state(503, "stopping")
        served = await application.front.world.store.ready()
        return _state(200, "ready") if served else _state(503, "store-unavailable")

    async def figures(call: Call) -> Answer:
        _read(call)
        return Answer(200, [], await application.figures(), metrics.CONTENT_TYPE)

    return {
        "/": Route("GET", "/", "home", home, "Page d'accueil"),
        "/health/live": Route("GET", "/health/live", "live", live, "Le processus répond"),
        "/health/ready": Route("GET", "/health/ready", "ready", ready, "Le service est rendu"),
        "/metrics": Route("GET", "/metrics", "metrics", figures, "Mesures pour Prometheus"),
    }


def _read(call: Call) -> None:
    if call.method not in ("GET", "HEAD"):
        problem = NotOffered(Issue(GET_ONLY))
        problem.allowed = ("GET", "HEAD")
        raise problem


def _state(status: int, word: str) -> Answer:
    return Answer(status, [], msgspec.json.encode({"status": word}), JSON)
