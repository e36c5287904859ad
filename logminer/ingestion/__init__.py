"""Log objects into the store: read by workers, committed by one driver, each object exactly once."""
