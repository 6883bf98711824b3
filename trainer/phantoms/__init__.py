"""Synthetic pictures: ultrasound, chest X-rays, composites of photographs."""
