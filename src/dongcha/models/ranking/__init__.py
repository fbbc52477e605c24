"""Who wants which item next: simple, strong methods over sequences of items, and their blend."""
