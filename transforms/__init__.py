"""Pure mathematics of space and time: constants, time scales, frames, rotations. Opens no file."""
