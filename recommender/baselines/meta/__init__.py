"""Meta-learning for thin histories: each investor is a task, first positions its support, later ones its query."""
