"""What will be seen: Timeline -> video file."""
