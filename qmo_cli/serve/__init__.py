"""Packets and signals behind HTTP and WebSocket, and a page that shows them."""
