package main

import (
	"path/filepath"
	"strings"

	dbm "github.com/cometbft/cometbft-db"
)

// openDB opens a database folder ending in ".db" as a node does.
func openDB(path, engine string) (dbm.DB, error) {
	path = filepath.Clean(path)
	return dbm.NewDB(strings.TrimSuffix(filepath.Base(path), ".db"), dbm.BackendType(engine), filepath.Dir(path))
}

// noSync leaves the fsyncs out while a home is generated; closing writes everything.
type noSync struct{ dbm.DB }

func (n noSync) SetSync(k, v []byte) error { return n.DB.Set(k, v) }
func (n noSync) DeleteSync(k []byte) error { return n.DB.Delete(k) }
func (n noSync) NewBatch() dbm.Batch       { return noSyncBatch{n.DB.NewBatch()} }

type noSyncBatch struct{ dbm.Batch }

func (b noSyncBatch) WriteSync() error { return b.Batch.Write() }
