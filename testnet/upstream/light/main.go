// Command light makes and reads the stores of light clients by CometBFT's own code: v1.0's, and v0.38's in ../light-0.38.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	dbm "github.com/cometbft/cometbft-db"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func open(path string) (dbm.DB, error) {
	name := filepath.Base(path)
	return dbm.NewGoLevelDB(name[:len(name)-len(".db")], filepath.Dir(path))
}

func run(args []string) error {
	switch {
	case len(args) > 5 && args[0] == "make":
		return makeStore(args[1], args[2], args[3], args[4], args[5:])
	case len(args) == 3 && args[0] == "read":
		return readStore(args[1], args[2])
	}
	return fmt.Errorf("usage: light make HOME STORE.db CHAIN LAYOUT HEIGHT... | light read STORE.db CHAIN")
}

// makeStore saves light blocks of some heights of a home. Opening the home changes it: give a copy.
func makeStore(home, target, chain, layout string, heights []string) error {
	blocksDB, err := open(filepath.Join(home, "data/blockstore.db"))
	if err != nil {
		return err
	}
	stateDB, err := open(filepath.Join(home, "data/state.db"))
	if err != nil {
		return err
	}
	lightDB, err := open(target)
	if err != nil {
		return err
	}
	defer lightDB.Close()
	blocks, states := store.NewBlockStore(blocksDB), sm.NewStore(stateDB, sm.StoreOptions{})
	light := newStore(lightDB, chain, layout)
	for _, text := range heights {
		height, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		validators, err := states.LoadValidators(height)
		if err != nil {
			return err
		}
		header := blocks.LoadBlockMeta(height).Header
		signed := &types.SignedHeader{Header: &header, Commit: blocks.LoadSeenCommit(height)}
		if err := light.SaveLightBlock(&types.LightBlock{SignedHeader: signed, ValidatorSet: validators}); err != nil {
			return err
		}
	}
	return nil
}

// readStore prints what a light client finds: the number of blocks, then height, header hash and validators hash of each.
func readStore(path, chain string) error {
	db, err := open(path)
	if err != nil {
		return err
	}
	defer db.Close()
	light := newStore(db, chain, "")
	fmt.Println(light.Size())
	last, err := light.LastLightBlockHeight()
	if err != nil {
		return err
	}
	for height := last; height > 0; {
		block, err := light.LightBlock(height)
		if err != nil {
			return err
		}
		if err := block.ValidateBasic(chain); err != nil {
			return err
		}
		if err := block.ValidatorSet.VerifyCommitLight(chain, block.Commit.BlockID, height, block.Commit); err != nil {
			return err
		}
		fmt.Printf("%d %X %X\n", height, block.Hash(), block.ValidatorSet.Hash())
		before, err := light.LightBlockBefore(height)
		if err != nil {
			return nil
		}
		height = before.Height
	}
	return nil
}
