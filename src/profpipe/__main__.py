"""`python -m profpipe`."""

from profpipe.cli import main

if __name__ == "__main__":
    main()
