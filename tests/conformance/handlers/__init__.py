"""The handlers that are deployed, one module for each suite of requirements.

A handler is as small as its requirement. It knows its SDK only through ``sdk``, and the functions
it invokes only through the environment, so that the same files run on any SDK and on any service.
"""
