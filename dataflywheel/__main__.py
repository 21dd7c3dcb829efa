"""`python -m dataflywheel` is `flywheel`."""

from dataflywheel.cli.main import main

if __name__ == "__main__":
    main()
