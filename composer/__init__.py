"""What the musician meets: the command line and the straight line from a sketch to its drums."""
