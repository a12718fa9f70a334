"""Measure what the design promises, each figure beside its peer's."""
