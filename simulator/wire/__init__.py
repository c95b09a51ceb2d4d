"""AWS's JSON 1.1 protocol, shaped by botocore's own service models."""
