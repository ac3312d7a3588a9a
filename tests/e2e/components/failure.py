"""What goes wrong with a component."""


class ComponentFailed(Exception):
    """A component can't be built, does not start, or died."""
