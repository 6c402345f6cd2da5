"""The torture harness: tries to break the invariants over real sockets, on real server processes (docs/reliability.md)."""
