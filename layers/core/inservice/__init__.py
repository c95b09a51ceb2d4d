"""InService's domain: from a DeploymentRequest to an Outcome, knowing no handler and no AWS outside `adapters`."""
