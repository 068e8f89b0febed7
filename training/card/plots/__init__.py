"""The card's pictures, drawn from a section's figures. They measure nothing."""
