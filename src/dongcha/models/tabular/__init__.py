"""Algorithms that learn from one row of numbers per thing; one algorithm a file, none knows another's business."""
