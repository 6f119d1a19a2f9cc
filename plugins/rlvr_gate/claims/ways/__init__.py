"""What a suite sees of methods: which ones a checkpoint chooses, and how reliable each is."""
