"""Instances behind an endpoint: how they come up, and how traffic moves from old ones to new ones."""
