"""Facts as of a moment: declared, cut in one place, labelled in one place."""
