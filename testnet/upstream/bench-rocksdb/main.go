// Command bench-rocksdb is the plain loop from goleveldb to RocksDB: iterate, batch, write; with -verify every row is read back and
// compared. It links the system's RocksDB 7 and opens the target with the options that nodes use (cometbft-db).
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/linxGnu/grocksdb"
	"github.com/syndtr/goleveldb/leveldb"
)

func main() {
	from := flag.String("from", "", "goleveldb folder")
	to := flag.String("to", "", "RocksDB folder")
	batchBytes := flag.Int("batch", 4<<20, "bytes in a batch")
	verify := flag.Bool("verify", false, "open the target again and compare every row")
	flag.Parse()
	if err := run(*from, *to, *batchBytes, *verify); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(from, to string, batchBytes int, verify bool) error {
	source, err := leveldb.OpenFile(from, nil)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := copyRows(source, to, batchBytes); err != nil || !verify {
		return err
	}
	return compareRows(source, to)
}

func options() *grocksdb.Options {
	table := grocksdb.NewDefaultBlockBasedTableOptions()
	table.SetBlockCache(grocksdb.NewLRUCache(1 << 30))
	table.SetFilterPolicy(grocksdb.NewBloomFilter(10))
	options := grocksdb.NewDefaultOptions()
	options.SetBlockBasedTableFactory(table)
	options.SetCreateIfMissing(true)
	options.IncreaseParallelism(runtime.NumCPU())
	options.OptimizeLevelStyleCompaction(512 << 20)
	return options
}

func copyRows(source *leveldb.DB, to string, batchBytes int) error {
	target, err := grocksdb.OpenDb(options(), to)
	if err != nil {
		return err
	}
	defer target.Close()
	write := grocksdb.NewDefaultWriteOptions()
	rows := source.NewIterator(nil, nil)
	defer rows.Release()
	batch, count, size := grocksdb.NewWriteBatch(), 0, 0
	for rows.Next() {
		batch.Put(rows.Key(), rows.Value())
		count++
		if size += len(rows.Key()) + len(rows.Value()); size >= batchBytes {
			if err := target.Write(write, batch); err != nil {
				return err
			}
			batch.Clear()
			size = 0
		}
	}
	if err := rows.Error(); err != nil {
		return err
	}
	write.SetSync(true)
	if err := target.Write(write, batch); err != nil {
		return err
	}
	fmt.Println("copied", count)
	return target.Flush(grocksdb.NewDefaultFlushOptions())
}

func compareRows(source *leveldb.DB, to string) error {
	target, err := grocksdb.OpenDbForReadOnly(options(), to, false)
	if err != nil {
		return err
	}
	defer target.Close()
	a, b := source.NewIterator(nil, nil), target.NewIterator(grocksdb.NewDefaultReadOptions())
	defer a.Release()
	defer b.Close()
	b.SeekToFirst()
	count := 0
	for ; a.Next(); count++ {
		if !b.Valid() || !bytes.Equal(a.Key(), b.Key().Data()) || !bytes.Equal(a.Value(), b.Value().Data()) {
			return fmt.Errorf("differs at key %x", a.Key())
		}
		b.Next()
	}
	if a.Error() != nil || b.Err() != nil || b.Valid() {
		return fmt.Errorf("one has more rows or failed: %v, %v", a.Error(), b.Err())
	}
	fmt.Println("compared", count)
	return nil
}
