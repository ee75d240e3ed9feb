"""A seller's settings, Stages and incidents. Pure: no calls."""
