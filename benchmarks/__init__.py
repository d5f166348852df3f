"""What the adapter costs, measured against serving the same model without it.

`python -m benchmarks.run` measures; `mock_upstream.py` and `load.py` are the two ends of it.
"""
