"""The doctor: a page for a phone to open, and a checklist if no phone reaches this computer."""
