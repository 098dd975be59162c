"""The ``edgecnn`` command, as its script calls it."""

from edgecnn.cli.start import main

main()
