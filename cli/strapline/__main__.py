"""`python -m strapline` is `strapline`."""

from strapline.main import main

main()
