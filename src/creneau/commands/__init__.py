"""What each command of `cli.py` does, imported when it is run."""
