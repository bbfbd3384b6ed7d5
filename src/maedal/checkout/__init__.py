"""The browser side: the SDK's file, its endpoints, the window's pages and the return from the PG."""
