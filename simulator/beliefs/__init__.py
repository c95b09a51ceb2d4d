"""What the simulator takes to be true of hardware, images and models; see docs/simulator.md for the sources."""
