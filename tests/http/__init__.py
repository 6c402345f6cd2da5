"""The HTTP front door, through real sockets."""
