"""Commands that show and check what is measured: data, faces, instruments, protocols."""
