"""The REST API's own description: an OpenAPI 3.1 document in Korean and English, and a page to read and try it."""
