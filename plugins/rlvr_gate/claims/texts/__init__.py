"""What a suite sees of texts that nobody was asked for: as others wrote them, and as read."""
