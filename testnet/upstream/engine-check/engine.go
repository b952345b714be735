package main

import (
	"fmt"
	"path/filepath"
	"strings"

	pebble1 "github.com/cockroachdb/pebble"
	pebble2 "github.com/cockroachdb/pebble/v2"
	cometdb "github.com/cometbft/cometbft-db"
	cosmosdb "github.com/cosmos/cosmos-db"
	"github.com/syndtr/goleveldb/leveldb"
)

// engine is what the checks need of a storage engine.
type engine interface {
	// scan calls f for every key in the engine's order.
	scan(f func(key, value []byte) error) error
	// get returns nil for a key that is not there.
	get(key []byte) ([]byte, error)
	set(key, value []byte) error
	remove(key []byte) error
	// check is the engine's own test of its levels, where it has one.
	check() error
	flush() error
	compact() error
	// ratchet raises the format version, where there is one.
	ratchet(version int) error
	// shape says how many tables lie on which level.
	shape() string
	close() error
}

// open opens a database folder as the named upstream library does; the wrappers of nodes add ".db" to names by themselves.
func open(name, dir string) (engine, error) {
	parent, base := filepath.Dir(dir), strings.TrimSuffix(filepath.Base(dir), ".db")
	switch name {
	case "goleveldb":
		db, err := leveldb.OpenFile(dir, nil)
		return level{db}, err
	case "pebble1":
		options := &pebble1.Options{Logger: logger{}}
		options.EnsureDefaults()
		db, err := pebble1.Open(dir, options)
		return pebbleV1{db}, err
	case "pebble2":
		options := &pebble2.Options{Logger: logger{}}
		options.EnsureDefaults()
		db, err := pebble2.Open(dir, options)
		return pebbleV2{db}, err
	case "cometbft-db/goleveldb":
		db, err := cometdb.NewGoLevelDB(base, parent)
		if err != nil {
			return nil, err
		}
		return level{db.DB()}, nil
	case "cometbft-db/pebble":
		db, err := cometdb.NewPebbleDB(base, parent)
		if err != nil {
			return nil, err
		}
		return pebbleV1{db.DB()}, nil
	case "cosmos-db/goleveldb":
		db, err := cosmosdb.NewDB(base, cosmosdb.GoLevelDBBackend, parent)
		if err != nil {
			return nil, err
		}
		return level{db.(*cosmosdb.GoLevelDB).DB()}, nil
	case "cosmos-db/pebble":
		db, err := cosmosdb.NewDB(base, cosmosdb.PebbleDBBackend, parent)
		if err != nil {
			return nil, err
		}
		return pebbleV1{db.(*cosmosdb.PebbleDB).DB()}, nil
	}
	return nil, fmt.Errorf("unknown engine %q", name)
}

// logger lets the engine's errors through and nothing else.
type logger struct{}

func (logger) Infof(string, ...any)         {}
func (logger) Errorf(form string, a ...any) { fmt.Printf("engine: "+form+"\n", a...) }
func (logger) Fatalf(form string, a ...any) { panic(fmt.Sprintf("engine: "+form, a...)) }
