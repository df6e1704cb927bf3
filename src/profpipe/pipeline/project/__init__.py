"""What a folder says of its server: the command in a Procfile or Dockerfile, or the framework and a server for it."""
