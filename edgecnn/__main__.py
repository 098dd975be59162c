"""``python -m edgecnn``: the command line, where the script is not on the path."""

from edgecnn.cli.start import main

main()
