"""French profiles: JSON to the values of the rules, and back."""
