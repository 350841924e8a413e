"""What a run of a program would do, told without running any of it."""
