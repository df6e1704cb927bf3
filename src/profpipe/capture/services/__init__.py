"""Programs beside the servers, such as a database: started with data of their own, watched, ended without a trace."""
