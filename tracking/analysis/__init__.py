"""A sweep in numbers: comparisons, seeds, convergence, leakage, the verdict."""
