"""The manual, read at `/manual` of every gateway: in Korean and in English, without a network and without a script."""
