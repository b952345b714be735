package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand"
	"sync"
	"time"

	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// derivedKey makes the i-th key of a seed.
func derivedKey(seed int64, i int) ed25519.PrivKey {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	binary.BigEndian.PutUint64(b[8:], uint64(i))
	h := sha256.Sum256(b[:])
	return ed25519.GenPrivKeyFromSecret(h[:])
}

// keyring holds the keys of all that are, were or will be validators.
type keyring struct {
	pool      []ed25519.PrivKey
	byAddress map[string]ed25519.PrivKey
	next      int
}

func newKeyring(seed int64, validators int) *keyring {
	k := &keyring{pool: make([]ed25519.PrivKey, validators+8), byAddress: map[string]ed25519.PrivKey{}, next: validators}
	for i := range k.pool {
		k.pool[i] = derivedKey(seed, i)
		k.byAddress[string(k.pool[i].PubKey().Address())] = k.pool[i]
	}
	return k
}

// outsider is the next key of the pool that is not in the set.
func (k *keyring) outsider(set *types.ValidatorSet) crypto.PubKey {
	for {
		key := k.pool[k.next%len(k.pool)].PubKey()
		k.next++
		if !set.HasAddress(key.Address()) {
			return key
		}
	}
}

// commit makes real precommits for a block: about 3 % of the validators are absent and 1 % vote nil, never near a third of the power.
func (k *keyring) commit(r *rand.Rand, chainID string, set *types.ValidatorSet, height int64, id types.BlockID, blockTime time.Time) *types.Commit {
	signatures := make([]types.CommitSig, set.Size())
	var missed int64
	for i, v := range set.Validators {
		at := blockTime.Add(time.Second + time.Duration(r.Int63n(int64(4*time.Second))))
		p := r.Intn(100)
		flag := types.BlockIDFlagCommit
		if p < 4 && (missed+v.VotingPower)*10 < set.TotalVotingPower()*3 {
			missed += v.VotingPower
			if p < 3 {
				signatures[i] = types.NewCommitSigAbsent()
				continue
			}
			flag = types.BlockIDFlagNil
		}
		signatures[i] = types.CommitSig{BlockIDFlag: flag, ValidatorAddress: v.Address, Timestamp: at}
	}
	var group sync.WaitGroup
	half := len(signatures) / 2
	for _, part := range [][]types.CommitSig{signatures[:half], signatures[half:]} {
		group.Add(1)
		go func() {
			defer group.Done()
			k.sign(part, chainID, height, id)
		}()
	}
	group.Wait()
	return &types.Commit{Height: height, BlockID: id, Signatures: signatures}
}

func (k *keyring) sign(signatures []types.CommitSig, chainID string, height int64, id types.BlockID) {
	for i := range signatures {
		s := &signatures[i]
		if s.BlockIDFlag == types.BlockIDFlagAbsent {
			continue
		}
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: height, Timestamp: s.Timestamp}
		if s.BlockIDFlag == types.BlockIDFlagCommit {
			vote.BlockID = id.ToProto()
		}
		signature, err := k.byAddress[string(s.ValidatorAddress)].Sign(types.VoteSignBytes(chainID, vote))
		if err != nil {
			panic(err)
		}
		s.Signature = signature
	}
}
