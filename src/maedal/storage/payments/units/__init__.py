"""How writes about payments are carried out, by step."""
