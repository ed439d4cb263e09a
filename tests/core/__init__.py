"""The core: plain values in, plain values out."""
