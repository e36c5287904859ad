"""What a store needs over the years: compaction, vacuum, forgetting, expiry, and its description for other engines."""
