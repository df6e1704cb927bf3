"""What is sent once per start before the load: requests, and what their answers give to those of the load."""

from __future__ import annotations

from profpipe.load.set_up.logged_in import LoggedIn
from profpipe.load.set_up.sequence import carry_out
from profpipe.load.set_up.start import SetUp

__all__ = ["LoggedIn", "SetUp", "carry_out"]
