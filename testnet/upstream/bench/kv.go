package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand"
	"sort"

	dbm "github.com/cometbft/cometbft-db"
)

var stores = []string{"bank", "staking", "evm", "acc", "distribution", "wasm", "ibc", "gov"}

// cmdKV writes rows with hash-shaped keys in rounds, each sorted, so that the tables overlap as in a node's database.
func cmdKV(args []string) error {
	f := flag.NewFlagSet("kv", flag.ExitOnError)
	path := f.String("db", "", "database folder, ending in .db")
	engine := f.String("engine", "goleveldb", "")
	count := f.Int("n", 10_000_000, "rows")
	rounds := f.Int("rounds", 10, "rounds")
	seed := f.Int64("seed", 7, "")
	_ = f.Parse(args)
	db, err := openDB(*path, *engine)
	if err != nil {
		return err
	}
	defer db.Close()
	r := rand.New(rand.NewSource(*seed))
	for range *rounds {
		keys := make([][]byte, *count / *rounds)
		for i := range keys {
			keys[i] = hashKey(r)
		}
		sort.Slice(keys, func(a, b int) bool { return bytes.Compare(keys[a], keys[b]) < 0 })
		if err := writeRound(db, keys, r); err != nil {
			return err
		}
	}
	fmt.Println("wrote", *count / *rounds * *rounds, "rows")
	return nil
}

// hashKey makes 60 % tree nodes (store and 32-byte hash), 20 % latest values (store, address, denomination) and 20 % bare hashes.
func hashKey(r *rand.Rand) []byte {
	var hash [32]byte
	r.Read(hash[:])
	store := stores[r.Intn(len(stores))]
	switch p := r.Intn(10); {
	case p < 6:
		return append([]byte("s/k:"+store+"/n"), hash[:]...)
	case p < 8:
		return append(append([]byte("s/k:"+store+"/f\x02\x14"), hash[:20]...), []byte("ibc/27394FB092D2")[:5+r.Intn(11)]...)
	default:
		return append([]byte(nil), hash[:]...)
	}
}

func writeRound(db dbm.DB, keys [][]byte, r *rand.Rand) error {
	const rowsInBatch = 20000
	for len(keys) > 0 {
		batch := db.NewBatch()
		n := min(rowsInBatch, len(keys))
		for _, key := range keys[:n] {
			// 60 % of a value is random, as hashes are; the rest are small integers.
			value := make([]byte, 40+r.Intn(111))
			random := len(value) * 6 / 10
			r.Read(value[:random])
			for i := random; i < len(value); i++ {
				value[i] = byte(i & 3)
			}
			if err := batch.Set(key, value); err != nil {
				return err
			}
		}
		if err := batch.Write(); err != nil {
			return err
		}
		if err := batch.Close(); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}
