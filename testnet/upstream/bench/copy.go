package main

import (
	"bytes"
	"flag"
	"fmt"

	dbm "github.com/cometbft/cometbft-db"
)

// cmdCopy is the yardstick: iterate, batch, write, close, with no checks but the errors that the calls return.
func cmdCopy(args []string) error {
	f := flag.NewFlagSet("copy", flag.ExitOnError)
	from := f.String("from", "", "source database folder (.db)")
	to := f.String("to", "", "target database folder (.db)")
	fromEngine := f.String("from-engine", "goleveldb", "")
	toEngine := f.String("to-engine", "pebbledb", "")
	batchBytes := f.Int("batch", 4<<20, "bytes in a batch")
	verify := f.Bool("verify", false, "open the target again and compare every row in one merge pass")
	_ = f.Parse(args)
	source, err := openDB(*from, *fromEngine)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := openDB(*to, *toEngine)
	if err != nil {
		return err
	}
	if err := copyRows(source, target, *batchBytes); err != nil || !*verify {
		return err
	}
	if target, err = openDB(*to, *toEngine); err != nil {
		return err
	}
	defer target.Close()
	return compareRows(source, target)
}

// copyRows copies every row and closes the target.
func copyRows(source, target dbm.DB, batchBytes int) error {
	rows, err := source.Iterator(nil, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	batch, size, count := target.NewBatch(), 0, 0
	for ; rows.Valid(); rows.Next() {
		key, value := rows.Key(), rows.Value()
		if err := batch.Set(key, value); err != nil {
			return err
		}
		count++
		if size += len(key) + len(value); size >= batchBytes {
			if err := batch.Write(); err != nil {
				return err
			}
			_ = batch.Close()
			batch, size = target.NewBatch(), 0
		}
	}
	if err := rows.Error(); err != nil {
		return err
	}
	if err := batch.WriteSync(); err != nil {
		return err
	}
	fmt.Println("copied", count)
	return target.Close()
}

func compareRows(source, target dbm.DB) error {
	a, err := source.Iterator(nil, nil)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := target.Iterator(nil, nil)
	if err != nil {
		return err
	}
	defer b.Close()
	count := 0
	for ; a.Valid() && b.Valid(); count++ {
		if !bytes.Equal(a.Key(), b.Key()) || !bytes.Equal(a.Value(), b.Value()) {
			return fmt.Errorf("differs at key %x", a.Key())
		}
		a.Next()
		b.Next()
	}
	if a.Error() != nil || b.Error() != nil || a.Valid() != b.Valid() {
		return fmt.Errorf("one has more rows or failed: %v, %v", a.Error(), b.Error())
	}
	fmt.Println("compared", count)
	return nil
}
