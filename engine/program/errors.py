"""What can be wrong with a scene only once it is put together."""


class BuildError(ValueError):
    """A scene that is well written but cannot become a program: says which shape, what it needs and what it got."""
