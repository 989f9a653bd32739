"""Pictures of runs, drawn with numpy alone."""
