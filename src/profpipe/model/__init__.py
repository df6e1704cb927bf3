"""The one model every capture is read into, and the plain records that travel between rooms."""
