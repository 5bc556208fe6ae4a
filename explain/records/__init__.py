"""Records of what was served: made, written before anything is shown, replayed, reported and handed out."""
