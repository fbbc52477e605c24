"""The dashboard: pages drawn from the catalogue, on the same server as the API."""
