"""Tests of what deploys the service: files, held by their linters."""
