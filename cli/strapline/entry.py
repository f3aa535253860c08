"""Where the command begins: so little that Ctrl-C, while the rest is read in, is no fault."""

import sys


def main() -> None:
    """Read the command in and run it."""
    try:
        from strapline.main import main as run

        run()
    except KeyboardInterrupt:
        # What a shell says of a program that SIGINT ended.
        sys.exit(130)
