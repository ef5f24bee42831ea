"""Scene files and scene scripts: the gallery, and the input of the tests and benchmarks."""
