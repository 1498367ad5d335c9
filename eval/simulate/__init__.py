"""Simulated users: people with real tastes who look for one film of theirs and never name it."""
