"""Where resources are kept: one contract, several tenants."""
