"""Models of what people do: who has which items so far -> how likely each other item is next."""
