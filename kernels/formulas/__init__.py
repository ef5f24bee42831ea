"""Formulas: each a plain Python function of a maths namespace `m`, a point and parameters, for lanes and tensors."""
