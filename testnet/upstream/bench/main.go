// Command bench makes large node homes with valid chain semantics through CometBFT's own store, state and indexer code, proves them with
// CometBFT's own checks, and has the plain copy loop that migrations are measured against. Everything follows from the seed.
package main

import (
	"fmt"
	"os"
)

var modes = map[string]func([]string) error{"chain": cmdChain, "kv": cmdKV, "check": cmdCheck, "replay": cmdReplay, "copy": cmdCopy}

func main() {
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, `usage: bench MODE [flags]   (MODE -h for flags)
  chain   write a node home: blockstore, state, tx_index, application, evidence, configuration and genesis
  kv      write a database of hash-shaped keys as application.db and tx_index.db have them
  check   load every block through CometBFT's stores; check links, data, results, validator sets and commits
  replay  apply every block to the genesis by CometBFT's executor; the state must become the home's own
  copy    the plain loop: iterate, batch, write; with -verify every row is read back and compared`)
		os.Exit(2)
	}
	if err := modes[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
