"""The demo: the whole main job on a private display, with real input, checked from the outside. See docs/demo.md."""
