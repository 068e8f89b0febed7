"""One drop scored by many functions at once, and put together as if one had scored it."""
