"""What an operator runs against a deployed stack; it must not know how functions, models or training work."""
