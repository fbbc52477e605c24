"""Texts to numbers: tokens, languages, vectors, polarity, aspects. Strings and arrays in, arrays out."""
