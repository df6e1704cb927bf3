"""Pull requests that change nothing: does the gate of `profpipe diff` let every one of them pass?"""
