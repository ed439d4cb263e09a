"""The protocol's tests: shapes against botocore's model, the codec, names."""
