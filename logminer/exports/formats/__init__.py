"""The export formats, one module each; a module's `FORMAT` is all it takes to add one."""
