"""`make rehearse`: the life of a deployed stack in a minute, on this machine, each step shown and checked."""
