"""Find out whether a phone can reach this computer: the page that it opens, and a checklist if none comes."""
