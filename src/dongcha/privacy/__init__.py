"""What keeps a person's data from those it is not for."""
