"""The field's values as wire types, one file a system: what may be seen from outside, and nothing else."""
