"""The record of a trial while it is made: who may write it, at once or through a spool."""
