"""Limited resources and their fair shares: threads, slots for large answers, spool, patience."""
