"""The model card: what a run found, as a page to read (`report.html`) and as figures (`metrics.json`)."""
