"""The shapes in which clients ask and are answered, one protocol a file. Never a socket, never an inference."""
