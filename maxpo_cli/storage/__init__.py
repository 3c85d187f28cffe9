"""What is on disk: result folders, growing tables and study records."""
