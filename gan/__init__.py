"""Everything that knows about networks: the conditional GAN, its training, its shipped weights."""
