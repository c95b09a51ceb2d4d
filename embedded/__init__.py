"""The whole service on one machine: MiniStack, the simulator and a Slack sink, with the real template deployed on it."""
