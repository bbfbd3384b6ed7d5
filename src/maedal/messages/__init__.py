"""What is told to people: alerts of the team, and letters to buyers; who receives them, and when."""
