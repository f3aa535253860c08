"""`python -m strapline` is `strapline`."""

from strapline.entry import main

main()
