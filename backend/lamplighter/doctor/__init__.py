"""The doctor of a class's network: waits for one phone, and tells what may keep it away."""
