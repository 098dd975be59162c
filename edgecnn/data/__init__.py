"""Where labelled images come from: one source a file."""
