"""What clients send and what they see, one module for each noun."""
