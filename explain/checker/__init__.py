"""An independent check of every sentence against the snapshot, written without the code that makes them."""
