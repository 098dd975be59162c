"""Looking into a network: its filters, what they make of a picture, and where it looks."""
