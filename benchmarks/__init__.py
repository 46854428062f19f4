"""What the speed and quality figures of the README are measured with: `make benchmark`, or one part of it:
`python -m benchmarks speed` (see `__main__.py`)."""
