"""What words do: sentences coded by heads that were trained on a bank of this project's own."""
