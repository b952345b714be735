module bench-rocksdb

go 1.22.11

require (
	github.com/linxGnu/grocksdb v1.7.15
	github.com/syndtr/goleveldb v1.0.1-0.20220721030215-126854af5e6d
)

require github.com/golang/snappy v0.0.4 // indirect
