"""Each headline figure as one command, measured beside what it is compared with. Nothing in the project imports it."""
