"""Data that are made up: a module a kind, each with its definition's source. The same settings and
seed give the same samples, however many are drawn at once."""
