"""Which pairs are worth training on: rules that drop pairs and say why; one module each in `rules/`."""
