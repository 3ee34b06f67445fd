"""A worker from a checkout, for development and for the compose file; an installed one is ``thirdshift worker``."""

import sys

from thirdshift.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "worker")
    main()
