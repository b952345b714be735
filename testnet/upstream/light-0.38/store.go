package main

import (
	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/light/store"
	lightdb "github.com/cometbft/cometbft/light/store/db"
)

func newStore(db dbm.DB, chain, _ string) store.Store {
	return lightdb.New(db, chain)
}
