"""Tests of the format: JSON, XML, instants, references, patches, summaries."""
