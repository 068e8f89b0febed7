"""What runs in the training container: a table becomes a published version. It serves nothing and knows no event."""
