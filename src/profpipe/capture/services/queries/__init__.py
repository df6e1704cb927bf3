"""How many queries a service has answered, by its own statistics: a file for each kind of service."""
