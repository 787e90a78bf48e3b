// Judges histories with Porcupine, for benchmarks/checkers.py.
//
//	porcupine-bench MODEL TIMEOUT_S FILE...
//
// A line of a file is "call return kind a b"; return is -1 if there was none. For each file it prints the verdict (ok,
// illegal, unknown) and the nanoseconds that the check alone took.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

type input struct {
	kind string
	a    string
	b    string
}

// A register: kinds read, write, cas, failed (a cas that met another value), maybe (a cas nobody knows of).
var register = porcupine.Model{
	Init: func() interface{} { return "-" },
	Step: func(state, in, _ interface{}) (bool, interface{}) {
		op, now := in.(input), state.(string)
		switch op.kind {
		case "read":
			return now == op.a, now
		case "write":
			return true, op.a
		case "failed":
			return now != op.a, now
		case "cas":
			return now == op.a, op.b
		}
		if now == op.a {
			return true, op.b
		}
		return true, now
	},
}

// One text under one key: kinds get, put, append; a is the key, b the text.
func text(state, in, _ interface{}) (bool, interface{}) {
	op, now := in.(input), state.(string)
	switch op.kind {
	case "get":
		return now == op.b, now
	case "put":
		return true, op.b
	}
	return true, now + op.b
}

var texts = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(input).a
			parts[key] = append(parts[key], op)
		}
		found := [][]porcupine.Operation{}
		for _, part := range parts {
			found = append(found, part)
		}
		return found
	},
	Init: func() interface{} { return "" },
	Step: text,
}

// All keys at once: what a model without a partition function sees.
var store = porcupine.Model{
	Init: func() interface{} { return [10]string{} },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		all := state.([10]string)
		key, _ := strconv.Atoi(in.(input).a)
		legal, next := text(all[key], in, out)
		all[key] = next.(string)
		return legal, all
	},
}

var models = map[string]porcupine.Model{"register": register, "texts": texts, "store": store}

func main() {
	model, found := models[os.Args[1]]
	seconds, err := strconv.ParseFloat(os.Args[2], 64)
	if !found || err != nil {
		fmt.Fprintln(os.Stderr, "usage: porcupine-bench register|texts|store TIMEOUT_S FILE...")
		os.Exit(2)
	}
	for _, path := range os.Args[3:] {
		history := load(path)
		began := time.Now()
		result := porcupine.CheckOperationsTimeout(model, history, time.Duration(seconds*float64(time.Second)))
		fmt.Println(strings.ToLower(string(result)), time.Since(began).Nanoseconds())
	}
}

func load(path string) []porcupine.Operation {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	history := []porcupine.Operation{}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	for lines.Scan() {
		part := strings.Split(lines.Text(), " ")
		call, _ := strconv.ParseInt(part[0], 10, 64)
		end, _ := strconv.ParseInt(part[1], 10, 64)
		if end < 0 {
			end = math.MaxInt64
		}
		history = append(history, porcupine.Operation{Input: input{part[2], part[3], part[4]}, Call: call, Return: end})
	}
	return history
}
