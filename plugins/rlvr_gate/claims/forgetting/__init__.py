"""What was forgotten of older tasks: against a match, as a law, and in the plane of both."""
