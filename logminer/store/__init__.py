"""The store: a Delta table of invocations, and what lies beside it."""
