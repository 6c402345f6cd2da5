"""`creneau serve`: open the store, build the world, answer until the stop."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

from creneau import access, wiring
from creneau.config import Settings
from creneau.fhir.validation.package import UnreadablePackage
from creneau.http.app import Application
from creneau.http.server import serve
from creneau.store.contract import StoreUnavailable
from creneau.store.lock import Owned
from creneau.store.migrate import UnknownSchema

WELCOME = """
Creneau : serveur d'agendas partagés (GAP, FHIR R4)

  à ouvrir / open      {root}/
  base FHIR            {base}
  conformité           {base}/metadata

  curl '{base}/Appointment?status=booked&_count=2&_pretty=true'
  curl '{base}/Slot?schedule.actor:Practitioner=prat-001&status=free&_count=5&_pretty=true'

  Ctrl-C pour arrêter / to stop
"""


def run(settings: Settings, *, welcome: bool = False) -> int:
    """Serve; the exit code: 0 after a clean stop, 1 when it could not start, the reason on one line of standard error."""

    async def start(port: int) -> Application:
        chosen = replace(settings, port=port)
        store = await wiring.open_store(chosen)
        world = wiring.world(chosen, store)
        await wiring.indexed(store, world)
        application = await wiring.application(chosen, world)
        spare_collections()
        print(greeting(chosen, welcome=welcome), file=sys.stderr, flush=True)
        return application

    try:
        access.may_listen(settings.host, unauthenticated=settings.unauthenticated)
        serve(start, wiring.server_settings(settings))
    except (access.Exposed, Owned, UnreadablePackage, UnknownSchema, StoreUnavailable, OSError) as error:
        print(f"creneau: {error}", file=sys.stderr)
        return 1
    return 0


def greeting(settings: Settings, *, welcome: bool) -> str:
    """What is said once requests are answered."""
    base = wiring.base_url(settings)
    return WELCOME.format(base=base, root=base.removesuffix("/fhir")) if welcome else f"creneau: {base}"


def spare_collections() -> None:
    """Leave what was built at the start out of the collector's rounds, and make these rarer: 4 to 5 % of the CPU of a booking."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
