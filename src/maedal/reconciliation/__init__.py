"""What the PG's own file of a day says of the money it moved, against what is known here; what differs is a finding."""
