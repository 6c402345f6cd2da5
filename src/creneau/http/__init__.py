"""The front door for machines: FHIR R4 over HTTP."""
