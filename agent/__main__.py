"""The command line of the agent. It starts nothing unless the packages it is about to import are ours."""

import sys
from importlib.metadata import version

from agent import home


def main() -> None:
    """Print the version; every other word is a usage error."""
    home.check()
    if sys.argv[1:] != ["--version"]:
        sys.stderr.write("volens: unknown command; try volens --version\n")
        raise SystemExit(2)
    print(f"volens {version('volens')}")


if __name__ == "__main__":
    main()
