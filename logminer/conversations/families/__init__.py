"""One module per body shape; each has a `SHAPE`. A new family is a new module here and its golden sample."""
