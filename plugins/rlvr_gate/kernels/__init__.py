"""The empirical neural tangent kernel: how it moved, and how much of that is rotation. Pure."""
