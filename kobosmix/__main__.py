"""`python -m kobosmix` does what `kobosmix` does."""

from kobosmix.cli import main

if __name__ == "__main__":
    main()
