"""From a message to what it says: names, words, polarity, limits, acts; by rules and by the model."""
