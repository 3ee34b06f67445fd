"""``python -m thirdshift``."""

from thirdshift.cli.main import main

main()
