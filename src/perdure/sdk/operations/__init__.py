"""The durable operations, each once and without colour: generators that yield what may block.

What an operation does follows from the journal's verdict; an operation whose state only the service
can change yields ``Settle`` and asks the journal again.
"""
