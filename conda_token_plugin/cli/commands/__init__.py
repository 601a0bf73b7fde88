"""One module per command: parse, ask, call an operation, report."""
