"""The GAP specification, one module per flow."""
