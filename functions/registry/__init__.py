"""Models as versions and aliases in a store: manifest, store, publish, alias. It cannot predict."""
