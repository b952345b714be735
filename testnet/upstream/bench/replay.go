package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
)

// cmdReplay applies every block of an unpruned home to its genesis by CometBFT's own executor, which judges all that a node judges: hashes,
// links, times, commits, validators. The application answers what the home says it answered. In the end the state must be the home's own.
func cmdReplay(args []string) error {
	home, blocks, states, done, err := openHome("replay", args)
	if err != nil {
		return err
	}
	defer done()
	doc, err := types.GenesisDocFromFile(filepath.Join(home, "config", "genesis.json"))
	if err != nil {
		return err
	}
	state, err := sm.MakeGenesisState(doc)
	if err != nil {
		return err
	}
	// What the handshake of a new node takes from the application and from the rules.
	state.LastResultsHash = merkle.HashFromByteSlices(nil)
	state.AppHash = blocks.LoadBlock(blocks.Base()).AppHash
	r, err := newReplay(states, state)
	if err != nil {
		return err
	}
	turns := 0
	for height := blocks.Base(); height <= blocks.Height(); height++ {
		inTurn, err := r.height(blocks, height)
		if err != nil {
			return fmt.Errorf("height %d: %w", height, err)
		}
		if inTurn {
			turns++
		}
	}
	stored, err := states.Load()
	if err != nil {
		return err
	}
	r.state.Version = stored.Version // names the software
	if !bytes.Equal(r.state.Bytes(), stored.Bytes()) {
		return fmt.Errorf("the state after the last block is not the home's")
	}
	fmt.Printf("replay ok: heights %d..%d, %d proposed in turn\n", blocks.Base(), blocks.Height(), turns)
	return nil
}

type replay struct {
	state    sm.State
	executor *sm.BlockExecutor
	copy     *store.BlockStore
}

func newReplay(answers sm.Store, state sm.State) (*replay, error) {
	app := proxy.NewAppConns(proxy.NewLocalClientCreator(&replayedApp{answers: answers}), proxy.NopMetrics())
	if err := app.Start(); err != nil {
		return nil, err
	}
	states := sm.NewStore(dbm.NewMemDB(), sm.StoreOptions{})
	if err := states.Save(state); err != nil {
		return nil, err
	}
	copied := store.NewBlockStore(dbm.NewMemDB())
	executor := sm.NewBlockExecutor(states, log.NewNopLogger(), app.Consensus(), &mempool.NopMempool{}, sm.EmptyEvidencePool{}, copied)
	return &replay{state: state, executor: executor, copy: copied}, nil
}

// height applies a block. It says whether the block was decided in round 0, and then by the one whose turn it was.
func (r *replay) height(blocks *store.BlockStore, height int64) (bool, error) {
	block, seen := blocks.LoadBlock(height), blocks.LoadSeenCommit(height)
	if block == nil || seen == nil {
		return false, fmt.Errorf("missing")
	}
	parts, err := block.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return false, err
	}
	id := types.BlockID{Hash: block.Hash(), PartSetHeader: parts.Header()}
	if err := r.state.Validators.VerifyCommit(block.ChainID, id, height, seen); err != nil {
		return false, err
	}
	inTurn := seen.Round == 0
	if proposer := r.state.Validators.GetProposer().Address; inTurn && !bytes.Equal(proposer, block.ProposerAddress) {
		return false, fmt.Errorf("proposed by %v, but it was the turn of %v", block.ProposerAddress, proposer)
	}
	r.copy.SaveBlock(block, parts, seen)
	r.state, err = r.executor.ApplyBlock(r.state, id, block)
	return inTurn, err
}

// replayedApp answers what a state store says it answered.
type replayedApp struct {
	abci.BaseApplication
	answers sm.Store
}

func (a *replayedApp) FinalizeBlock(_ context.Context, req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	return a.answers.LoadFinalizeBlockResponse(req.Height)
}
