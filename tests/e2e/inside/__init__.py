"""Programs that tests run on the images' own Python, with the standard library and nothing else."""
