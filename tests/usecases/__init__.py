"""The use cases of GAP §1.2, each played by the systems it names."""
