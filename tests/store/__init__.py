"""One suite for every store: what `store/contract.py` promises."""
