"""The questions of the class: asked, predicted by viewers, answered by the record."""
