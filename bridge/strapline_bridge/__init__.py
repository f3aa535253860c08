"""The edge daemon: listens to wearables, keeps each reading safe, and brings it to the server."""
