"""What the pages say is run."""
