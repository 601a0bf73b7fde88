"""Other tools' credential files, one module per tool."""
