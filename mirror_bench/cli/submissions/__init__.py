"""Commands for what is handed in or published: pack, verify, card."""
