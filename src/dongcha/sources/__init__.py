"""How facts come in: files, known public layouts, a simulated shop."""
