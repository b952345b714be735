package main

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"time"

	cfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/types"
)

const genesisUnix = 1_700_000_000

// genesis names the first validators of the key pool.
func genesis(o *chainOptions, keys *keyring, r *rand.Rand) (*types.GenesisDoc, error) {
	doc := &types.GenesisDoc{
		GenesisTime: time.Unix(genesisUnix, 0).UTC(), ChainID: o.chainID, InitialHeight: 1,
		ConsensusParams: types.DefaultConsensusParams(), AppHash: emptyAppHash(),
	}
	for i := range o.validators {
		key := keys.pool[i].PubKey()
		doc.Validators = append(doc.Validators, types.GenesisValidator{
			PubKey: key, Address: key.Address(), Power: 1000 + int64(r.Intn(500)), Name: fmt.Sprintf("v%d", i)})
	}
	return doc, doc.ValidateAndComplete()
}

// writeHome writes what a node needs beside its databases. The node is no validator of the chain: it only follows.
func writeHome(o *chainOptions, doc *types.GenesisDoc) error {
	config := filepath.Join(o.home, "config")
	for _, dir := range []string{config, o.data()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	c := cfg.DefaultConfig()
	c.SetRoot(o.home)
	c.DBBackend, c.Moniker = o.engine, "bench"
	c.P2P.ListenAddress, c.RPC.ListenAddress = "tcp://127.0.0.1:0", "tcp://127.0.0.1:0"
	c.P2P.PexReactor = false
	cfg.WriteConfigFile(filepath.Join(config, "config.toml"), c)
	app := fmt.Sprintf("minimum-gas-prices = \"0.002uatom\"\npruning = \"nothing\"\napp-db-backend = %q\n", o.engine)
	if err := os.WriteFile(filepath.Join(config, "app.toml"), []byte(app), 0o644); err != nil {
		return err
	}
	if err := doc.SaveAs(filepath.Join(config, "genesis.json")); err != nil {
		return err
	}
	nodeKey := &p2p.NodeKey{PrivKey: derivedKey(o.seed, 1_000_001)}
	if err := nodeKey.SaveAs(filepath.Join(config, "node_key.json")); err != nil {
		return err
	}
	privval.NewFilePV(derivedKey(o.seed, 1_000_002), filepath.Join(config, "priv_validator_key.json"),
		filepath.Join(o.data(), "priv_validator_state.json")).Save()
	return nil
}
