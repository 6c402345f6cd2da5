"""The benchmark that the project carries: drives a FHIR base URL, ours or another's, with a stated mix (docs/benchmark.md)."""
