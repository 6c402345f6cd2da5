"""Creneau: a shared-calendar server for French health care (volet GAP over FHIR R4)."""

__version__ = "0.1.0"
