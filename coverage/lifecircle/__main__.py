"""Run the command line as ``python -m lifecircle``."""

from lifecircle.cli import main

main()
