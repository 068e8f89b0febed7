"""A file becomes a table to learn from: read, framed, its columns understood. It fits nothing."""
