"""Quantum Market Observer: CME gold order flow, from exchange messages to an explained trade signal."""


def __getattr__(name: str) -> str:
    """The version, read from the installed package when somebody asks: that import is half of ``qmo --help``."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("qmo-cli")
    except PackageNotFoundError:  # run from its source
        return "not installed"
