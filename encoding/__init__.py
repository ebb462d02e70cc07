"""Numbers in, numbers out: MIDI notes to arrays and back. Never imports torch, gan or composer."""
