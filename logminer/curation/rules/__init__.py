"""The curation rules, one module each; a module's `RULE` is all it takes to add one."""
