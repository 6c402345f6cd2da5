"""The invented département."""
