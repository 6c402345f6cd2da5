"""All that a front door can ask of the flows: the FHIR interactions, on one resource or in a bundle, and `$validate`."""

from creneau.flows.bundle import bundle
from creneau.flows.checking import validate
from creneau.flows.explanation import explain
from creneau.flows.f3_availability import availability
from creneau.flows.reading import history, vread
from creneau.flows.single import (
    create,
    delete,
    delete_where,
    earliest,
    patch,
    patch_where,
    read,
    search,
    update,
    update_where,
)
from creneau.flows.writing import ANY

__all__ = [
    "ANY",
    "availability",
    "bundle",
    "create",
    "delete",
    "delete_where",
    "earliest",
    "explain",
    "history",
    "patch",
    "patch_where",
    "read",
    "search",
    "update",
    "update_where",
    "validate",
    "vread",
]
