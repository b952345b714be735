package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble"
)

// pebbleV1 is Pebble, major version 1 of the library.
type pebbleV1 struct{ db *pebble.DB }

func (e pebbleV1) scan(f func(key, value []byte) error) error {
	it, err := e.db.NewIter(nil)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = f(it.Key(), value)
		}
		if err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

func (e pebbleV1) get(key []byte) ([]byte, error) {
	value, closer, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// The value is the engine's until the closer is called; an empty one is not a missing one.
	copied := append([]byte{}, value...)
	return copied, closer.Close()
}

func (e pebbleV1) set(key, value []byte) error { return e.db.Set(key, value, pebble.NoSync) }
func (e pebbleV1) remove(key []byte) error     { return e.db.Delete(key, pebble.NoSync) }
func (e pebbleV1) check() error                { return e.db.CheckLevels(nil) }
func (e pebbleV1) flush() error                { return e.db.Flush() }
func (e pebbleV1) close() error                { return e.db.Close() }

func (e pebbleV1) compact() error {
	return e.db.Compact([]byte{0}, bytes.Repeat([]byte{0xff}, 64), false)
}

func (e pebbleV1) ratchet(version int) error {
	return e.db.RatchetFormatMajorVersion(pebble.FormatMajorVersion(version))
}

func (e pebbleV1) shape() string {
	levels := []string{fmt.Sprintf("format:%d", e.db.FormatMajorVersion())}
	for i, level := range e.db.Metrics().Levels {
		if level.NumFiles > 0 {
			levels = append(levels, fmt.Sprintf("L%d:%d", i, level.NumFiles))
		}
	}
	return strings.Join(levels, " ")
}
