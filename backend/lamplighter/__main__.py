"""Entry point of `python -m lamplighter`, which is the same as `lamplighter`."""

from lamplighter.cli import main

if __name__ == "__main__":
    main()
