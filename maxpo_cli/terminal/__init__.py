"""What is printed in the terminal, from the written tables."""
