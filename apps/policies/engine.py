"""Whether credit is given: the lender's published rules over what is known and how it was scored."""
