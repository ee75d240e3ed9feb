"""How downloads walk through windows, and what quota they may spend. Pure: no calls."""
