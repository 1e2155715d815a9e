"""What the user sees: one file per node, thin adapters around `engine`."""
