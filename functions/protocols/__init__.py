"""The dialects a body may speak, and the routes that lead to them. No I/O, no AWS, no store."""
