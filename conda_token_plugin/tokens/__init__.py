"""Pure values and rules: no I/O, and the current time is a parameter."""
