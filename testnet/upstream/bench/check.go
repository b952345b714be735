package main

import (
	"bytes"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
)

// openHome opens the stores of the home that the words of a mode name, and gives its folder and what closes them.
func openHome(mode string, args []string) (string, *store.BlockStore, sm.Store, func(), error) {
	f := flag.NewFlagSet(mode, flag.ExitOnError)
	home := f.String("home", "", "")
	engine := f.String("engine", "goleveldb", "")
	_ = f.Parse(args)
	blockDB, err := openDB(filepath.Join(*home, "data", "blockstore.db"), *engine)
	if err != nil {
		return "", nil, nil, nil, err
	}
	stateDB, err := openDB(filepath.Join(*home, "data", "state.db"), *engine)
	if err != nil {
		blockDB.Close()
		return "", nil, nil, nil, err
	}
	done := func() { blockDB.Close(); stateDB.Close() }
	return *home, store.NewBlockStore(blockDB), sm.NewStore(stateDB, sm.StoreOptions{}), done, nil
}

// cmdCheck proves a home with CometBFT's own code: every block, link, hash and commit.
func cmdCheck(args []string) error {
	_, blocks, states, done, err := openHome("check", args)
	if err != nil {
		return err
	}
	defer done()
	c := checker{blocks: blocks, states: states}
	tip, err := c.states.Load()
	if err != nil {
		return err
	}
	start := time.Now()
	for height := c.blocks.Base(); height <= c.blocks.Height(); height++ {
		if err := c.height(height); err != nil {
			return fmt.Errorf("height %d: %w", height, err)
		}
	}
	if !bytes.Equal(tip.AppHash, c.appHash) || tip.LastBlockHeight != c.blocks.Height() {
		return fmt.Errorf("the state does not belong to the last block")
	}
	fmt.Printf("check ok: heights %d..%d, %d signatures, %.1f s\n", c.blocks.Base(), c.blocks.Height(), c.signatures, time.Since(start).Seconds())
	return nil
}

// checker walks up the chain; the hashes are those that the next header must name.
type checker struct {
	blocks               *store.BlockStore
	states               sm.Store
	previous             *types.Block
	appHash, resultsHash []byte
	signatures           int
}

func (c *checker) height(height int64) error {
	block, meta := c.blocks.LoadBlock(height), c.blocks.LoadBlockMeta(height)
	if block == nil || meta == nil {
		return fmt.Errorf("missing")
	}
	if err := block.ValidateBasic(); err != nil { // hashes of last commit, data and evidence
		return err
	}
	parts, err := block.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return err
	}
	if !meta.BlockID.Equals(types.BlockID{Hash: block.Hash(), PartSetHeader: parts.Header()}) {
		return fmt.Errorf("block id")
	}
	if p := c.previous; p != nil && (!bytes.Equal(block.AppHash, c.appHash) ||
		!bytes.Equal(block.LastResultsHash, c.resultsHash) || !bytes.Equal(block.LastBlockID.Hash, p.Hash())) {
		return fmt.Errorf("link, app hash or results hash")
	}
	if err := c.commit(block, meta.BlockID); err != nil {
		return err
	}
	response, err := c.states.LoadFinalizeBlockResponse(height)
	if err != nil {
		return err
	}
	c.previous, c.appHash, c.resultsHash = block, response.AppHash, sm.TxResultsHash(response.TxResults)
	return nil
}

func (c *checker) commit(block *types.Block, id types.BlockID) error {
	set, err := c.states.LoadValidators(block.Height)
	if err != nil {
		return err
	}
	next, err := c.states.LoadValidators(block.Height + 1)
	if err != nil {
		return err
	}
	if !bytes.Equal(block.ValidatorsHash, set.Hash()) || !bytes.Equal(block.NextValidatorsHash, next.Hash()) || !set.HasAddress(block.ProposerAddress) {
		return fmt.Errorf("validators")
	}
	seen := c.blocks.LoadSeenCommit(block.Height)
	c.signatures += len(seen.Signatures)
	return set.VerifyCommit(block.ChainID, id, block.Height, seen)
}
