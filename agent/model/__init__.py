"""The language role: a local model decoded under a grammar, or a server."""
