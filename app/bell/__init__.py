"""The bell between web and worker processes: dramatiq on Redis, and nothing else."""
