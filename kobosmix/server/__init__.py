"""Servers: what goes up to them and what comes back, in their own words."""
