"""What each pure stage costs by itself: `python -m benchmarks.micro` (pyperf)."""
