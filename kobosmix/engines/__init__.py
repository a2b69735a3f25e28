"""What the engines of phones and servers say about a form."""
