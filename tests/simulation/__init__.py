"""A whole service in one thread with virtual time: the real core, engine and memory store, under
faults drawn from a seed, judged by oracles that do not trust the engine's own bookkeeping.

``python -m tests.simulation --seed 7`` plays one schedule again, line by line.
"""
