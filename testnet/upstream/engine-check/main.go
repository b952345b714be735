// engine-check opens a database folder with the real storage engine and puts it through what a node would do with it: scan, the engine's
// own check of its levels, gets, writes, close and reopen, a raise of the format version, a compaction of everything. After each step the
// whole content is compared with what it must be. The folder is changed: give it a copy.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// content is what the database must hold, by key.
type content map[string][]byte

func (c content) sortedKeys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// digest is SHA-256 over (u32be key length, key, u32be value length, value) in the order of keys.
func (c content) digest() string {
	hash := sha256.New()
	for _, key := range c.sortedKeys() {
		for _, piece := range [][]byte{[]byte(key), c[key]} {
			hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(piece))))
			hash.Write(piece)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// read takes the whole database into memory; keys that do not ascend are an error.
func read(db engine) (content, error) {
	found, previous := content{}, []byte(nil)
	err := db.scan(func(key, value []byte) error {
		if len(found) > 0 && bytes.Compare(previous, key) >= 0 {
			return fmt.Errorf("key %x comes after %x", key, previous)
		}
		previous = append(previous[:0], key...)
		found[string(key)] = append([]byte{}, value...)
		return nil
	})
	return found, err
}

// trial is one run over one folder.
type trial struct {
	name, dir string
	db        engine
	want      content
	done      []string
}

// holds compares the whole database with what it must hold.
func (t *trial) holds(step string) error {
	found, err := read(t.db)
	if err != nil {
		return fmt.Errorf("scan after %s: %w", step, err)
	}
	if found.digest() != t.want.digest() {
		return fmt.Errorf("content after %s: %d keys with digest %s instead of %d with %s", step, len(found), found.digest(), len(t.want), t.want.digest())
	}
	t.done = append(t.done, step)
	return nil
}

func (t *trial) gets() error {
	for i, key := range t.want.sortedKeys() {
		if i%7 != 0 {
			continue
		}
		value, err := t.db.get([]byte(key))
		if err != nil || value == nil || !bytes.Equal(value, t.want[key]) {
			return fmt.Errorf("get %x: %x, %v", key, value, err)
		}
	}
	if value, err := t.db.get([]byte("no such key")); value != nil || err != nil {
		return fmt.Errorf("get of a missing key: %x, %v", value, err)
	}
	t.done = append(t.done, "get")
	return nil
}

// writes overwrites, removes and adds keys all over the key space.
func (t *trial) writes(count int) error {
	keys := t.want.sortedKeys()
	for i := range count {
		key, value := fmt.Sprintf("new/%06d", i), bytes.Repeat([]byte{byte(i)}, 100)
		if len(keys) > 2 && i%3 < 2 {
			key = keys[i*7919%len(keys)]
		}
		var err error
		if len(keys) > 2 && i%3 == 1 {
			err = t.db.remove([]byte(key))
			delete(t.want, key)
		} else {
			err = t.db.set([]byte(key), value)
			t.want[key] = value
		}
		if err != nil {
			return fmt.Errorf("write %x: %w", key, err)
		}
	}
	return t.holds("write")
}

func (t *trial) reopen() (err error) {
	if err = t.db.close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if t.db, err = open(t.name, t.dir); err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	return t.holds("reopen")
}

func (t *trial) compact() error {
	for _, step := range []func() error{t.db.flush, t.db.check, t.db.compact, t.db.check} {
		if err := step(); err != nil {
			return fmt.Errorf("flush, check, compact, check: %w", err)
		}
	}
	return t.holds("compact")
}

func (t *trial) run(expected string, writes, ratchet int) (err error) {
	if t.db, err = open(t.name, t.dir); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	first := t.db.shape()
	if t.want, err = read(t.db); err != nil {
		return fmt.Errorf("first scan: %w", err)
	}
	keys := len(t.want)
	if found := t.want.digest(); expected != "" && found != expected {
		return fmt.Errorf("digest %s instead of %s", found, expected)
	}
	if err = t.db.check(); err != nil {
		return fmt.Errorf("check of the levels: %w", err)
	}
	t.done = append(t.done, "scan", "check")
	if ratchet > 0 {
		if err = t.db.ratchet(ratchet); err != nil {
			return fmt.Errorf("raise of the format: %w", err)
		}
		if err = t.holds("ratchet"); err != nil {
			return err
		}
	}
	steps := []func() error{t.gets, func() error { return t.writes(writes) }, t.reopen, t.compact, t.reopen}
	for _, step := range steps {
		if err = step(); err != nil {
			return err
		}
	}
	fmt.Printf("ok: %s: %s: %d keys, %s [%s -> %s]\n", t.name, filepath.Base(t.dir), keys, strings.Join(t.done, " "), first, t.db.shape())
	return t.db.close()
}

func main() {
	name := flag.String("engine", "", "goleveldb, pebble1, pebble2, or cometbft-db/ or cosmos-db/ followed by goleveldb or pebble")
	dir := flag.String("dir", "", "the database folder, which is changed")
	expected := flag.String("sha256", "", "the digest that the first scan must have")
	writes := flag.Int("writes", 2000, "how many keys to overwrite, remove and add")
	ratchet := flag.Int("ratchet", 0, "the format version to raise to (Pebble)")
	flag.Parse()
	t := &trial{name: *name, dir: filepath.Clean(*dir)}
	if err := t.run(*expected, *writes, *ratchet); err != nil {
		fmt.Printf("FAILED: %s: %s: %v (done: %s)\n", *name, *dir, err, strings.Join(t.done, " "))
		os.Exit(1)
	}
}
