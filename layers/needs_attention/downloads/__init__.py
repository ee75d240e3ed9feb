"""How downloads walk through windows, and the quota that they may spend. Pure: no calls."""
