"""What ``python -m app doctor`` looks at, one module for each kind of thing."""
