"""Tests, corrections, bootstrap and calibration: arrays in, numbers out, each with its paper."""
