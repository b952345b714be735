// tiles VKEY DIR: verifies a folder of tiles with Go's own code for transparency logs (golang.org/x/mod/sumdb): the signature of the
// checkpoint, every tile against its root, every leaf against its tile. Prints size and root.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tiles VKEY DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(vkey, dir string) error {
	tree, err := checkpoint(vkey, filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, folder(dir))
	for index := int64(0); index < tree.N; index += tileWidth {
		width := min(tileWidth, tree.N-index)
		entries, err := bundle(dir, index/tileWidth, int(width))
		if err != nil {
			return err
		}
		places := make([]int64, width)
		for i := range places {
			places[i] = tlog.StoredHashIndex(0, index+int64(i))
		}
		stored, err := hashes.ReadHashes(places)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != stored[i] {
				return fmt.Errorf("leaf %d is not the one of the tree", index+int64(i))
			}
		}
	}
	fmt.Printf("size %d\nroot %s\n", tree.N, hex.EncodeToString(tree.Hash[:]))
	return nil
}

// checkpoint opens the signed head: origin, size, root.
func checkpoint(vkey, path string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	message, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(strings.TrimSuffix(opened.Text, "\n"), "\n")
	if len(lines) != 3 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("%s is not a checkpoint of %s", path, verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, fmt.Errorf("%s has no root", path)
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// bundle reads the leaves whose hashes are in tile n of level 0: u16 lengths, big-endian, and data.
func bundle(dir string, n int64, width int) ([][]byte, error) {
	path := filepath.Join(dir, "tile/entries", strings.TrimPrefix(tlog.Tile{H: tileHeight, L: 0, N: n, W: width}.Path(), "tile/8/0/"))
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) >= 2 && len(data) >= 2+int(binary.BigEndian.Uint16(data)) {
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries, data = append(entries, data[2:end]), data[end:]
	}
	if len(entries) != width || len(data) != 0 {
		return nil, fmt.Errorf("%s has %d whole entries and %d bytes more, expected %d entries", path, len(entries), len(data), width)
	}
	return entries, nil
}

// folder reads tiles as C2SP names them: without the height, which is 8.
type folder string

func (dir folder) Height() int { return tileHeight }

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		name := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		read, err := os.ReadFile(filepath.Join(string(dir), filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		data[i] = read
	}
	return data, nil
}

// SaveTiles has nothing to keep: the tiles are files already.
func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}
