"""What `doctor` asks each platform that is set up, and what an operator is to do about the answers."""
