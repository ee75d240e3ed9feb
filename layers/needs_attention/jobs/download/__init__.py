"""One integration's downloads."""
