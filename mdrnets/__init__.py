"""Coarse-to-fine Memory-Disentangled Refinement Networks (arXiv 2204.02824), regenerated."""
