"""Vectors of any kind: drawn to a fixed width, fused from parts, and asked what they know."""
