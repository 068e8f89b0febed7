"""What runs while the function images are built, on their own Python; none of it stays in them."""
