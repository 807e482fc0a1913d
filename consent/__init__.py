"""Who said yes to what. Decides; imports nothing of ours."""
