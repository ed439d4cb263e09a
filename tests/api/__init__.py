"""The API's tests: real clients, a real server on loopback, fakes where the engine would be."""
