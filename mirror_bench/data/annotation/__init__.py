"""The official files completed: who each client is, with the words that say so, splits and scenario ids."""
