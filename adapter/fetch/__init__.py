"""What a client names by URL, fetched safely: only where the policy allows, and only so much.

`guard` decides, `fetch` connects and reads, `images` puts pictures into a chat request. Nothing
is imported here, so that who needs the seam alone (`base`) does not load an HTTP client.
"""
