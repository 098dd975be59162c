"""One page about trained networks and the files that were exported of them."""
