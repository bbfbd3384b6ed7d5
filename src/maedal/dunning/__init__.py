"""Dunning: scheduled charges that failed and wait for the buyer, and the link with which the buyer pays them."""
