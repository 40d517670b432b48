"""The pages "Inside" and "Network": what happens in the network that runs."""
