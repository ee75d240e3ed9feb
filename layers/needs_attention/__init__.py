"""The gate that keeps incomplete Amazon orders from being fulfilled until they are repaired."""
