package main

import (
	"errors"
	"strings"

	"github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/util"
)

// level is goleveldb. It has no check of its levels of its own: a compaction of everything reads every table and block.
type level struct{ db *leveldb.DB }

func (e level) scan(f func(key, value []byte) error) error {
	it := e.db.NewIterator(nil, nil)
	defer it.Release()
	for it.Next() {
		if err := f(it.Key(), it.Value()); err != nil {
			return err
		}
	}
	return it.Error()
}

func (e level) get(key []byte) ([]byte, error) {
	value, err := e.db.Get(key, nil)
	if errors.Is(err, leveldb.ErrNotFound) {
		return nil, nil
	}
	// An empty value comes as nil; a missing one has its own error.
	return append([]byte{}, value...), err
}

func (e level) set(key, value []byte) error { return e.db.Put(key, value, nil) }
func (e level) remove(key []byte) error     { return e.db.Delete(key, nil) }
func (e level) check() error                { return nil }
func (e level) flush() error                { return nil }
func (e level) compact() error              { return e.db.CompactRange(util.Range{}) }
func (e level) ratchet(int) error           { return errors.New("goleveldb has no format versions") }
func (e level) close() error                { return e.db.Close() }

func (e level) shape() string {
	stats, err := e.db.GetProperty("leveldb.stats")
	if err != nil {
		return err.Error()
	}
	var levels []string
	for _, line := range strings.Split(stats, "\n") {
		// "  level | tables | size | ...": only levels that hold tables.
		cells := strings.Fields(strings.ReplaceAll(line, "|", " "))
		if len(cells) > 2 && cells[0] >= "0" && cells[0] <= "9" && cells[1] != "0" {
			levels = append(levels, "L"+cells[0]+":"+cells[1])
		}
	}
	return strings.Join(levels, " ")
}
