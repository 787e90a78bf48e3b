// etcd as one program: the server, and etcdutl's "snapshot" commands.
//
// "go install package@version" refuses etcd's modules for their replace directives; a module of one's own does not.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/etcdutl/v3/etcdutl"
	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "snapshot" {
		tool := &cobra.Command{Use: "etcd", SilenceUsage: true}
		tool.AddCommand(etcdutl.NewSnapshotCommand())
		etcdutl.OutputFormat = "simple"
		if tool.Execute() != nil {
			os.Exit(1)
		}
		return
	}
	etcdmain.Main(os.Args)
}
