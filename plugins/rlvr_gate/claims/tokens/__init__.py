"""What a suite sees of single tokens: where two checkpoints would choose different ones."""
