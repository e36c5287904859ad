"""`python -m logminer`."""

from logminer.cli import main

if __name__ == "__main__":
    main()
