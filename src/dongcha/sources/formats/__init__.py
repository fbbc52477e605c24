"""The kinds of file that can be read, one module each, all giving the same batches of text."""
