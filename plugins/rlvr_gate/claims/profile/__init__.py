"""What kind of training a checkpoint looks like: rule, references, and the claim about it."""
