"""What runs: loops over the registry, knows no insight by name."""
