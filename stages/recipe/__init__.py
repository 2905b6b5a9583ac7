"""The published systems by name: run as their authors did it and honestly, and shown beside what they printed."""
