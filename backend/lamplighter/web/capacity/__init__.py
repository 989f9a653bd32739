"""Limited resources and who gets how much of them: threads, slots for large answers, spool, patience with readers."""
