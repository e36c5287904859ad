"""Datasets worth training on: pairs of a store, curated, redacted, chosen and split, with a manifest beside them.

`building` runs the stages one after the other, each on what the one before has kept:

    selection (SQL) -> history -> system -> rules -> redaction -> format -> split -> choice -> files -> manifest
"""
