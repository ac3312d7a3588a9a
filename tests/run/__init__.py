"""The program as a user starts it: real processes on the loopback, the page in a real browser."""
