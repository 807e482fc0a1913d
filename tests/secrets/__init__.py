"""What is typed, pasted, shown and told around the agent, and must be nowhere in what it writes, sends or logs."""
