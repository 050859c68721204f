"""What the HTTP services share. FastAPI and uvicorn are imported here and in these services only."""
