"""The ``edgecnn`` command, as its script calls it."""

from edgecnn.cli.main import main

main()
