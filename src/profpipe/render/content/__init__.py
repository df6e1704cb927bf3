"""What a report says, as text, whichever way it is shown: page, comment and terminal draw from here."""
