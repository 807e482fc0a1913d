"""How much of a person's typing rhythm is left in what is collected."""
