"""What an answer is worth: read as a value, compared exactly."""
