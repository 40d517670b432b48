"""Looking a data set over: statistics, and what may be wrong with it."""
