"""The commands over a registry that holds versions already: each looks or moves, and none fits anything."""
