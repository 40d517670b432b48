"""Teaching by example on the live picture: classes, what was learnt, the network that it makes."""
