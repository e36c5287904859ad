"""Questions to a store, answered by DuckDB."""
