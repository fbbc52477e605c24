"""The REST API: what a program asks and sends, over one workspace."""
