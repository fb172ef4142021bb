"""Measure lifecircle beside its peers in one run and write docs/performance.md."""
