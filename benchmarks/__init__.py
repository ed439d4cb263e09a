"""What Perdure is measured by."""
