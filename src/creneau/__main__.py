"""`creneau`, also as `python -m creneau`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from creneau.cli import app

    app()


if __name__ == "__main__":
    main()
