"""What was told of buyers, wherever other subjects keep it: found, counted, erased. It keeps nothing itself."""
