"""An offline SageMaker hosting service on a loopback port, for any SDK: `python -m simulator --help`."""
