"""The class: a second listener for viewers, who watch, follow the presenter and predict."""
