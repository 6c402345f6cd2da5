"""The scenarios, one module per family of `docs/reliability.md`; `torture/table.py` lists them."""
