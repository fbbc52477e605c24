"""One customer's portrait, and who matches a rule."""
