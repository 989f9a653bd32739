"""The contract between the rooms: recipes, questions and answers, and reasons for refusing a request."""
