"""What can be heard: samples -> Timeline."""
