"""An invented French département, loaded by `creneau demo`: nobody and nothing in it exists (GAP §6, FR Core 2.0.1)."""

from creneau.demo.department import department, sizes

__all__ = ["department", "sizes"]
