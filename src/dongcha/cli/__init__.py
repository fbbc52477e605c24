"""The command line, drawn from the catalogue."""
