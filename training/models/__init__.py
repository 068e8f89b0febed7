"""What is fitted: the reference pipelines, their rivals, and whatever a user brings. It reads no table."""
