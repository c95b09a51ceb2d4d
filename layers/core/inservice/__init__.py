"""InService's domain: from a DeploymentRequest to an Outcome, knowing no Lambda handler and no AWS outside `adapters`."""
