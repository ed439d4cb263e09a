"""AWS's public conformance requirements, run against a Perdure server."""
