"""What is seen in a photo without a model that sees."""
