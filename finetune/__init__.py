"""Training the language model and the scorer. Serving never imports it; LOG.md says what was tried."""
