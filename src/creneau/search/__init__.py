"""What can be asked: grammar, tables, extraction, the in-memory oracle."""
