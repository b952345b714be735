package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/state/txindex"
	"github.com/cometbft/cometbft/state/txindex/kv"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
)

// chainOptions say what the chain looks like; the seed decides the rest.
type chainOptions struct {
	home, engine, chainID   string
	seed, heights           int64
	validators, txs, txSize int
	changeEvery, bigEvery   int64
}

func (o *chainOptions) data() string { return filepath.Join(o.home, "data") }

// Transactions of a big block: 1 MB in pieces of 4 kB.
const bigTxs, bigTxSize = 250, 4000

func cmdChain(args []string) error {
	var o chainOptions
	f := flag.NewFlagSet("chain", flag.ExitOnError)
	f.StringVar(&o.home, "home", "", "node home to make (must not exist)")
	f.StringVar(&o.engine, "engine", "goleveldb", "goleveldb or pebbledb")
	f.StringVar(&o.chainID, "chain-id", "nm-peers-1", "")
	f.Int64Var(&o.seed, "seed", 1, "everything follows from it")
	f.Int64Var(&o.heights, "heights", 20000, "blocks")
	f.IntVar(&o.validators, "vals", 10, "validators")
	f.IntVar(&o.txs, "txs", 5, "transactions in an ordinary block")
	f.IntVar(&o.txSize, "tx-size", 250, "bytes of a transaction")
	f.Int64Var(&o.changeEvery, "val-change", 500, "the validator set changes every N blocks (0: never)")
	f.Int64Var(&o.bigEvery, "big-every", 0, "every N-th block holds 1 MB (0: never)")
	_ = f.Parse(args)
	if _, err := os.Stat(o.home); err == nil || o.home == "" {
		return fmt.Errorf("-home must name a folder that does not exist, not %q", o.home)
	}
	c, err := newChain(&o)
	if err != nil {
		return err
	}
	for height := int64(1); height <= o.heights; height++ {
		if err := c.block(height); err != nil {
			return fmt.Errorf("height %d: %w", height, err)
		}
	}
	fmt.Printf("chain %s: %d blocks, %d validators, last block %X\n", o.chainID, o.heights, o.validators, c.state.LastBlockID.Hash)
	return c.close()
}

// chain is a network of which only the stores of one follower exist.
type chain struct {
	*chainOptions
	random *rand.Rand
	keys   *keyring
	open   []dbm.DB
	blocks *store.BlockStore
	states sm.Store
	index  *kv.TxIndex
	app    *bankApp
	state  sm.State
	commit *types.Commit
}

func newChain(o *chainOptions) (*chain, error) {
	c := &chain{chainOptions: o, random: rand.New(rand.NewSource(o.seed)), keys: newKeyring(o.seed, o.validators), commit: &types.Commit{}}
	doc, err := genesis(o, c.keys, c.random)
	if err != nil {
		return nil, err
	}
	if err := writeHome(o, doc); err != nil {
		return nil, err
	}
	named := map[string]dbm.DB{}
	for _, name := range []string{"blockstore", "state", "application", "evidence", "tx_index"} {
		db, err := openDB(filepath.Join(o.data(), name+".db"), o.engine)
		if err != nil {
			return nil, err
		}
		named[name] = noSync{db}
		c.open = append(c.open, db)
	}
	c.blocks, c.index = store.NewBlockStore(named["blockstore"]), kv.NewTxIndex(named["tx_index"])
	c.states = sm.NewStore(named["state"], sm.StoreOptions{})
	if c.app, err = newBankApp(named["application"]); err != nil {
		return nil, err
	}
	if c.state, err = c.states.LoadFromDBOrGenesisDoc(doc); err != nil {
		return nil, err
	}
	c.state.AppHash = emptyAppHash()
	c.state.Version.Consensus.App = 1
	if err := c.states.Save(c.state); err != nil {
		return nil, err
	}
	// A node keeps its genesis in the state store as well.
	text, err := os.ReadFile(filepath.Join(o.home, "config", "genesis.json"))
	if err != nil {
		return nil, err
	}
	return c, named["state"].Set([]byte("genesisDoc"), text)
}

func (c *chain) close() error {
	for _, db := range c.open {
		if err := db.Close(); err != nil {
			return err
		}
	}
	return nil
}

// block makes, signs, stores, executes and indexes one block.
func (c *chain) block(height int64) error {
	block, err := c.state.MakeBlock(height, c.transactions(height), c.commit, nil, c.state.Validators.GetProposer().Address)
	if err != nil {
		return err
	}
	parts, err := block.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return err
	}
	id := types.BlockID{Hash: block.Hash(), PartSetHeader: parts.Header()}
	c.commit = c.keys.commit(c.random, c.chainID, c.state.Validators, height, id, block.Time)
	c.blocks.SaveBlock(block, parts, c.commit)

	response, err := c.app.FinalizeBlock(context.Background(), &abci.RequestFinalizeBlock{Txs: block.Txs.ToSliceOfBytes(), Height: height})
	if err != nil {
		return err
	}
	if err := c.states.SaveFinalizeBlockResponse(height, response); err != nil {
		return err
	}
	if c.state, err = nextState(c.state, id, &block.Header, response); err != nil {
		return err
	}
	if _, err := c.app.Commit(context.Background(), nil); err != nil {
		return err
	}
	c.state.AppHash = response.AppHash
	if err := c.states.Save(c.state); err != nil {
		return err
	}
	return c.indexBlock(block, response)
}

func (c *chain) indexBlock(block *types.Block, response *abci.ResponseFinalizeBlock) error {
	if len(block.Txs) == 0 {
		return nil
	}
	batch := txindex.NewBatch(int64(len(block.Txs)))
	for i, tx := range block.Txs {
		if err := batch.Add(&abci.TxResult{Height: block.Height, Index: uint32(i), Tx: tx, Result: *response.TxResults[i]}); err != nil {
			return err
		}
	}
	return c.index.AddBatch(batch)
}

func (c *chain) transactions(height int64) []types.Tx {
	count, size := c.txs, c.txSize
	if c.bigEvery > 0 && height%c.bigEvery == 0 {
		count, size = bigTxs, bigTxSize
	}
	list := make([]types.Tx, 0, count+2)
	for range count {
		list = append(list, bankTx(c.random, size))
	}
	if c.changeEvery == 0 || height%c.changeEvery != 0 {
		return list
	}
	// In turn: one validator's power changes; one validator goes and another comes.
	set := c.state.NextValidators
	one := set.Validators[c.random.Intn(c.validators)]
	if (height/c.changeEvery)%2 == 1 {
		return append(list, validatorTx(one.PubKey, 1000+int64(c.random.Intn(500))))
	}
	return append(list, validatorTx(one.PubKey, 0), validatorTx(c.keys.outsider(set), 1000+int64(c.random.Intn(500))))
}

func validatorTx(key crypto.PubKey, power int64) types.Tx {
	return types.Tx(fmt.Sprintf("val!%s!%d", base64.StdEncoding.EncodeToString(key.Bytes()), power))
}

// nextState does what CometBFT's updateState does, which is not exported.
func nextState(s sm.State, id types.BlockID, header *types.Header, response *abci.ResponseFinalizeBlock) (sm.State, error) {
	next := s.NextValidators.Copy()
	if len(response.ValidatorUpdates) > 0 {
		updates, err := types.PB2TM.ValidatorUpdates(response.ValidatorUpdates)
		if err != nil {
			return s, err
		}
		if err := next.UpdateWithChangeSet(updates); err != nil {
			return s, err
		}
		s.LastHeightValidatorsChanged = header.Height + 2
	}
	next.IncrementProposerPriority(1)
	s.LastBlockHeight, s.LastBlockID, s.LastBlockTime = header.Height, id, header.Time
	s.LastValidators, s.Validators, s.NextValidators = s.Validators.Copy(), s.NextValidators.Copy(), next
	s.LastResultsHash = sm.TxResultsHash(response.TxResults)
	return s, nil
}
