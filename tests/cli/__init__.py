"""The ``perdure`` command."""
