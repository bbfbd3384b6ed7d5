"""Moving in and out: a merchant and everything it owns, as one JSON file in the shapes of the REST API."""
