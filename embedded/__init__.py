"""The whole service on one machine: MiniStack, the simulator and a Slack sink, the real template deployed on them."""
