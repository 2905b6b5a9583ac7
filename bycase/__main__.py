"""`python -m bycase` is `bycase`."""

from bycase.cli import main

main()
