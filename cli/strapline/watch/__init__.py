"""`strapline watch`: everyone whom a link shows, live in a terminal or as lines for programs."""
