"""The base of every value: frozen models, times, kinds of text."""
