"""The built-in detectors, one module each; a module's `DETECTOR` is all it takes to add one.

All of them are strict: a value that is missed can be found by another detector or a reader, but a hit on an order
number, a version or a price spoils the answer that a student learns from. What each takes for a value stands in
its `about`, and what it leaves alone in its docstring.
"""
