"""What a suite sees of checkpoints at other temperatures than the run's."""
