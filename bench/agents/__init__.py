"""A simulated fleet against one receiver that is killed and started again. Not in the wheel."""
