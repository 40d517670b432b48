"""Recording labelled samples of one's own: pictures from a camera, clips from a microphone."""
