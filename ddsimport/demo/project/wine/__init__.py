"""The wine project: read, clean, model, report."""
