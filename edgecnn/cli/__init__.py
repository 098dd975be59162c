"""The command line: one verb a file, each a thin call of what stands below."""
