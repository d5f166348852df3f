"""Our own OpenAPI document: what the routes of this package take and answer."""
