"""What is kept: conversations, states to go back to, taste and feedback."""
