"""A trial of every variant under every instrument before the rounds, and the loads and rounds that follow from it."""
