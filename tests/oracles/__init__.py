"""What the tests compare the package with, each computed in another way than the package does."""
