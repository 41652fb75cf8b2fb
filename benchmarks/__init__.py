"""Side-by-side measurements: each prints ratios against a reference in the same run. None is asserted in a test."""
