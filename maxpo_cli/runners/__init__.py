"""Where batches run: in this process or in worker processes."""
