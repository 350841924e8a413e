"""Reports."""

TITLE = "Office report"
