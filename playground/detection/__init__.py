"""Detection: objects in pictures with their boxes, found, followed from frame to frame, drawn."""
