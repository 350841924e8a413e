"""What rewritten code calls: look up a step, evaluate it under a recorder, keep its value."""
