"""The rules, pure: they know time and words, no FHIR, no storage, no clock."""
