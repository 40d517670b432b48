"""The window turned to what runs live: a device, a network that answers to it, and its inside."""
