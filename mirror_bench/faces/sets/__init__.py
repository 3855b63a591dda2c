"""Prepared sets of faces: folders of images."""
