"""An offline SageMaker whose failures emerge from what is asked of it: `python -m simulator --help`.

One loopback port serves the control plane, the runtime, endpoint quotas, a model hub and a control interface.
Containers are real processes that read the environment they are given. Nothing here knows the project's planner or
its diagnosis: the simulator is meant to be able to prove them wrong.
"""
