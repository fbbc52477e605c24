"""Where facts live: the contract, the lake, the engine, the ledger."""
