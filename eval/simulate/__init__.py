"""Simulated users: people with real tastes who look for one film of theirs and never name it.

What the figures mean, and what they do not: these people are cooperative. They have one film in mind, know
true facts of it in the catalogue's own words, say what tells it apart, and look at ten items a reply. So
success is higher than with people who do not know what they want, and only comparisons say something: with
the baselines beside it, between policies, between versions. Most targets are films that many have rated, so
filters and popularity alone find many of them.
"""
