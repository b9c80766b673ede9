"""``python -m qmo_cli`` is ``qmo``."""

from .cli import main

if __name__ == "__main__":
    main()
