"""The service from outside: real servers, real workers, AWS's clients and SDK."""
