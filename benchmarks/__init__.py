"""How fast, side by side with the peers or with a physical limit, measured in one run."""
