"""Synthetic images: ultrasound, chest X-rays, composites of photographs."""
